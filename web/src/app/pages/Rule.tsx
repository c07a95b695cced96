import { getRouteApi, useRouter } from "@tanstack/react-router";
import { RulePage } from "@/features/rules/RulePage";

const route = getRouteApi("/shell/rules/$ruleId");

export function Rule() {
  const { ruleId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const router = useRouter();
  return <RulePage key={ruleId} id={ruleId} search={search} onSearch={(change) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true })} go={(address) => router.history.push(address)} />;
}
