import { getRouteApi, useRouter } from "@tanstack/react-router";
import { RulePage } from "@/features/rules/RulePage";

const route = getRouteApi("/shell/rules/$ruleId");

export function Rule() {
  const { ruleId } = route.useParams();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const router = useRouter();
  return <RulePage key={ruleId} id={ruleId} tab={tab ?? null} onTab={(next) => void navigate({ search: { tab: next }, replace: true })} go={(address) => router.history.push(address)} />;
}
