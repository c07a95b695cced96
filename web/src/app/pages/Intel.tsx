import { IntelPage } from "@/features/intel/IntelPage";
import { usePageSearch } from "../usePageSearch";

export default function Intel() {
  const [search, change] = usePageSearch();
  return <IntelPage search={search} change={change} />;
}
