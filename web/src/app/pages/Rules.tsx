import { getRouteApi } from "@tanstack/react-router";
import { RulesPage } from "@/features/rules/RulesPage";

const DEFAULT_SORT = "-highest_severity";
const route = getRouteApi("/shell/rules");

export function Rules() {
  const navigate = route.useNavigate();
  const search = route.useSearch();
  const { query = "", sort = DEFAULT_SORT } = search;
  const merged = (next: typeof search) => ({ ...(next.query ? { query: next.query } : {}), ...(next.sort !== undefined && next.sort !== DEFAULT_SORT ? { sort: next.sort } : {}) });
  return <RulesPage query={query} sort={sort} onChange={(change) => void navigate({ search: (now) => merged({ ...now, ...change }), replace: true })} />;
}
