import { PacksPage } from "@/features/packs/PacksPage";
import { usePageSearch } from "../usePageSearch";

export default function Packs() {
  const [search, change] = usePageSearch();
  return <PacksPage search={search} change={change} />;
}
