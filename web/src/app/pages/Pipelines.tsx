import { PipelinesPage } from "@/features/pipelines/PipelinesPage";
import { usePageSearch } from "../usePageSearch";

export default function Pipelines() {
  const [search, change] = usePageSearch();
  return <PipelinesPage search={search} change={change} />;
}
