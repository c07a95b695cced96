import { getRouteApi } from "@tanstack/react-router";
import { RulesPage } from "@/features/rules/RulesPage";

const DEFAULT_SORT = "-highest_severity";
const route = getRouteApi("/shell/rules");

export function Rules() {
  const navigate = route.useNavigate();
  const { query = "", sort = DEFAULT_SORT } = route.useSearch();
  return (
    <RulesPage
      query={query}
      sort={sort}
      onChange={(next) => void navigate({ search: { ...(next.query ? { query: next.query } : {}), ...(next.sort !== DEFAULT_SORT ? { sort: next.sort } : {}) }, replace: true })}
    />
  );
}
