import { CoveragePage } from "@/features/coverage/CoveragePage";
import { usePageSearch } from "../usePageSearch";

export default function Coverage() {
  const [search, change] = usePageSearch();
  return <CoveragePage search={search} change={change} />;
}
