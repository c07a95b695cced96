import { AttackPage } from "@/features/attack/AttackPage";
import { usePageSearch } from "../usePageSearch";

export default function Attack() {
  const [search, change] = usePageSearch();
  return <AttackPage search={search} change={change} />;
}
