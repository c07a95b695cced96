import { usePageSearch } from "@/app/usePageSearch";
import { SuppressionsPage, type SuppressionsSearch } from "@/features/suppressions/SuppressionsPage";

export default function Suppressions() {
  const [search, change] = usePageSearch();
  return <SuppressionsPage search={search as SuppressionsSearch} change={(next, options) => change({ ...next }, options)} />;
}
