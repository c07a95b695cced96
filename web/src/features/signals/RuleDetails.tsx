import { useQuery } from "@tanstack/react-query";
import { ruleQuery } from "@/api/rules";
import { useMay } from "@/api/session";
import type { ExploreEvent } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { Markdown } from "@/components/Markdown";
import { ErrorState } from "@/components/states";
import { Tags } from "@/components/Tag";
import { custom } from "./config";
import classes from "./signals.module.css";

/** The playbook as rendered for this signal, tags, ATT&CK, and the rule. */
export function RuleDetails({ signal }: { signal: ExploreEvent }) {
  const { workflow } = custom(signal);
  const mayRead = useMay("security_monitoring_rules_read");
  const rule = useQuery({ ...ruleQuery(workflow?.rule?.id ?? ""), enabled: mayRead && Boolean(workflow?.rule?.id) });
  const tags = signal.attributes.tags ?? [];
  const attack = tags.filter((tag) => /^(tactic|technique):/.test(tag));
  return (
    <div className={classes.story}>
      <div className={classes.ruleLine}>
        <AppLink to={`/rules/${workflow?.rule?.id ?? ""}`}>{workflow?.rule?.name ?? "The rule"}</AppLink>
        <span className={classes.dim}>
          {workflow?.rule?.type} · {workflow?.rule?.detectionMethod ?? "threshold"} · version {workflow?.rule?.version ?? 1}
          {rule.data && rule.data.version !== workflow?.rule?.version ? `, now at ${String(rule.data.version)}` : ""}
          {rule.data && !rule.data.isEnabled ? " · disabled" : ""}
        </span>
      </div>
      {rule.error && <ErrorState inline error={rule.error} retry={() => void rule.refetch()} />}
      {attack.length > 0 && <Tags tags={attack} />}
      <Markdown text={signal.attributes.message ?? ""} />
      <Tags tags={tags.filter((tag) => !attack.includes(tag))} />
    </div>
  );
}
