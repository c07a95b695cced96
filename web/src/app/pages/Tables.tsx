import { usePageSearch } from "@/app/usePageSearch";
import { TablesPage, type TablesSearch } from "@/features/tables/TablesPage";

export default function Tables() {
  const [search, change] = usePageSearch();
  return <TablesPage search={search as TablesSearch} change={(next, options) => change({ ...next }, options)} />;
}
