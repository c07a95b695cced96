import { SecurityFiltersPage } from "@/features/securityFilters/SecurityFiltersPage";
import { usePageSearch } from "../usePageSearch";

export default function SecurityFilters() {
  const [search, change] = usePageSearch();
  return <SecurityFiltersPage editing={search.filter ?? null} onEdit={(filter) => change({ filter: filter ?? "" })} />;
}
