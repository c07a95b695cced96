import { useQuery } from "@tanstack/react-query";
import { useMay } from "@/api/session";
import { excludedQuery, type Excluded as Found } from "@/api/suppressions";
import { AppLink } from "@/components/AppLink";
import page from "@/components/Page.module.css";
import { Section } from "@/components/Section";
import { ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { HIDDEN_DAYS } from "@/lib/suppressions";
import { stringifySearch } from "@/lib/urlState";
import classes from "./suppressions.module.css";

/** Which events a stored exclusion has kept from rules, and which rules would have found them. */
export function Excluded({ id }: { id: string }) {
  const may = useMay("security_monitoring_signals_read");
  const { data, error, isFetching, refetch } = useQuery({ ...excludedQuery(id, HIDDEN_DAYS), enabled: may });
  if (!may || (data && data.periods.length === 0)) return null;
  return (
    <Section title={`Kept from rules in ${String(HIDDEN_DAYS)} days`}>
      {data ? <Told found={data} /> : error && !isFetching ? <ErrorState inline error={error} retry={() => void refetch()} /> : <SkeletonRows rows={2} height={24} />}
    </Section>
  );
}

function Told({ found: { events, rules, rules_in_scope, periods } }: { found: Found }) {
  const losing = (rules ?? []).filter((rule) => rule.events > 0);
  return (
    <>
      <p className={classes.verdict}>
        <strong>{plural(events, "event")}</strong> {events === 1 ? "was" : "were"} kept from {plural(rules_in_scope, "rule")}.{" "}
        {rules === null ? "So many rules are in scope that it is not told what each would have found." : losing.length === 0 ? "None of these rules looks for them." : "Of these would have found: "}
        {losing.map((rule, index) => (
          <span key={rule.rule_id}>
            {index > 0 && ", "}
            <AppLink to={`/rules/${rule.rule_id}`}>{rule.rule_name}</AppLink> {formatNumber(rule.events)}
          </span>
        ))}
      </p>
      {periods.map((period) => (
        <p key={period.from} className={page.dim}>
          <AbsoluteTime time={Date.parse(period.from)} /> to <AbsoluteTime time={Date.parse(period.to)} />: <AppLink to={`/logs${stringifySearch({ query: period.query, from: String(Date.parse(period.from)), to: String(Date.parse(period.to)) })}`}>these events in Logs</AppLink>
        </p>
      ))}
    </>
  );
}
