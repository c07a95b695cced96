import { JobsPage } from "@/features/jobs/JobsPage";
import { usePageSearch } from "../usePageSearch";

export default function Jobs() {
  const [search, change] = usePageSearch();
  return <JobsPage search={search} change={change} />;
}
