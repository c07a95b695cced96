import { getRouteApi } from "@tanstack/react-router";
import { RulesPage } from "@/features/rules/RulesPage";

const route = getRouteApi("/shell/rules");

export function Rules() {
  const navigate = route.useNavigate();
  const { query = "", sort = "-update_date" } = route.useSearch();
  return (
    <RulesPage
      query={query}
      sort={sort}
      onChange={(next) => void navigate({ search: { ...(next.query ? { query: next.query } : {}), ...(next.sort !== "-update_date" ? { sort: next.sort } : {}) }, replace: true })}
    />
  );
}
