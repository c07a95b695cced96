import { Button, Checkbox } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { facetQuery } from "@/api/explore";
import { useRestrictions, whoMay, type Restriction } from "@/api/restrictions";
import { RULES_WRITE, rulesQuery, updateRule } from "@/api/rules";
import { useMay } from "@/api/session";
import type { Rule } from "@/api/types";
import { AddButton } from "@/components/AddButton";
import { AppLink } from "@/components/AppLink";
import { List, NothingFound, type Column } from "@/components/List";
import { ListPage } from "@/components/ListPage";
import page from "@/components/Page.module.css";
import { RestrictedMark } from "@/components/RestrictAccess";
import { SeverityLabel } from "@/components/Severity";
import { EmptyState } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { Toggle } from "@/components/Toggle";
import { useAction } from "@/components/useAction";
import { attackLabel, formatNumber, plural } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";
import { highestSeverity } from "./ruleDraft";
import { Ticked } from "./Ticked";
import classes from "./list.module.css";

const COUNTED_DAYS = 7;

interface Props {
  query: string;
  sort: string;
  /** One of them: the other is what it is by then. */
  onChange: (next: { query?: string; sort?: string }) => void;
}

const COLUMNS: Column[] = [
  { label: "On", sort: "enabled", descends: true },
  { label: "Severity", sort: "highest_severity", descends: true },
  { label: "Rule", sort: "name" },
  { label: "Source", sort: "source" },
  { label: "Tactic" },
  { label: `Signals, ${String(COUNTED_DAYS)} days`, isNumber: true },
  { label: "Changed", sort: "update_date", descends: true },
];

export function RulesPage({ query, sort, onChange }: Props) {
  const router = useRouter();
  const list = useInfiniteQuery(rulesQuery(query, sort));
  const rules = list.data?.pages.flatMap((each) => each.data) ?? [];
  const counts = list.data?.pages[0]?.meta.page;
  const total = counts?.total_filtered_count ?? counts?.total_count ?? rules.length;
  const may = useMay(RULES_WRITE);
  const signals = useSignalCounts();
  const restriction = useRestrictions("security-rule");
  const [ticked, setTicked] = useState<ReadonlySet<string>>(() => new Set());
  const chosen = rules.filter((rule) => ticked.has(rule.id));
  const tick = (ids: string[], isTicked: boolean) =>
    setTicked((before) => {
      const after = new Set(before);
      for (const id of ids) if (isTicked) after.add(id); else after.delete(id);
      return after;
    });
  const all = <Checkbox size="xs" aria-label="Tick all shown rules" checked={chosen.length > 0 && chosen.length === rules.length} indeterminate={chosen.length > 0 && chosen.length < rules.length} onChange={(event) => tick(rules.map((rule) => rule.id), event.currentTarget.checked)} />;
  return (
    <ListPage
      title="Rules"
      search={{ label: "Search rules", placeholder: "Search rules: okta, severity:high, enabled:false, tactic:ta0006*", value: query, onSearch: (next) => onChange({ query: next }) }}
      about={list.data && plural(total, "rule")}
      actions={<AddButton permission={RULES_WRITE} label="New rule" onClick={() => router.history.push("/rules/new")} />}
    >
      <div className={classes.list}>
        <List
          query={list}
          count={rules.length}
          columns={[{ id: "tick", label: all }, ...COLUMNS]}
          sort={sort}
          onSort={(next) => onChange({ sort: next })}
          empty={
            query ? (
              <NothingFound title="No rule matches this search" all="Show all rules" onAll={() => onChange({ query: "" })}>
                {list.data?.pages[0]?.meta.hints?.map(({ message, fix }) => (
                  <p key={message}>
                    {message}{" "}
                    {fix && (
                      <Button variant="subtle" size="compact-sm" onClick={() => onChange({ query: fix })}>
                        Search for {fix}
                      </Button>
                    )}
                  </p>
                ))}
              </NothingFound>
            ) : (
              <EmptyState title="There are no rules yet">
                <p>Rules that come with Tocsin appear here after its first start.</p>
              </EmptyState>
            )
          }
        >
          {rules.map((rule) => (
            <RuleRow key={rule.id} rule={rule} may={may} restriction={restriction(rule.id)} signals={signals(rule.id)} isTicked={ticked.has(rule.id)} onTick={(isTicked) => tick([rule.id], isTicked)} />
          ))}
        </List>
        {chosen.length > 0 && <Ticked rules={chosen} may={may} restriction={restriction} onDone={() => setTicked(new Set())} />}
      </div>
    </ListPage>
  );
}

/** How many signals each rule has raised lately; text stands for what is not known. */
function useSignalCounts(): (ruleId: string) => number | string {
  const may = useMay("security_monitoring_signals_read");
  const [now] = useState(() => Date.now());
  const filter = useMemo(() => ({ query: "", from: new Date(now - COUNTED_DAYS * 86_400_000).toISOString(), to: new Date(now).toISOString() }), [now]);
  const { data, error } = useQuery({ ...facetQuery("signals", filter, "@workflow.rule.id", 1000, ""), enabled: may });
  const counted = useMemo(() => data && new Map(data.data[0]?.values.map(({ value, count }) => [value, count])), [data]);
  return (ruleId) => (counted ? (counted.get(ruleId) ?? 0) : may && !error ? "…" : "–");
}

interface RowProps {
  rule: Rule;
  may: boolean;
  restriction: Restriction | undefined;
  signals: number | string;
  isTicked: boolean;
  onTick: (isTicked: boolean) => void;
}

function RuleRow({ rule, may, restriction, signals, isTicked, onTick }: RowProps) {
  const name = rule.customName || rule.name;
  const toggle = useAction<boolean>(["rules"], `${name} was not changed`, (isEnabled) => updateRule(rule.id, { isEnabled }));
  const enabled = toggle.isPending ? toggle.variables : rule.isEnabled;
  const tagged = (key: string) => rule.tags.filter((tag) => tag.startsWith(`${key}:`)).map((tag) => tag.slice(key.length + 1));
  const [sources, tactics] = [tagged("source").join(", "), tagged("tactic").map(attackLabel).join(", ")];
  return (
    <tr data-off={!enabled || undefined} data-chosen={isTicked || undefined}>
      <td>
        <Checkbox size="xs" aria-label={`Tick ${name}`} checked={isTicked} onChange={(event) => onTick(event.currentTarget.checked)} />
      </td>
      <td>
        <Toggle name={name} enabled={enabled} may={may} permission={RULES_WRITE} closed={restriction && !restriction.meta.editable ? whoMay(restriction) : undefined} isPending={toggle.isPending} onChange={(next) => toggle.mutate(next)} />
      </td>
      <td>
        <SeverityLabel severity={highestSeverity(rule)} />
      </td>
      <td className={classes.name} title={name}>
        <AppLink to={`/rules/${rule.id}`}>{name}</AppLink>
        <RestrictedMark restriction={restriction} />
      </td>
      <td className={classes.source} title={sources}>
        {sources || "–"}
      </td>
      <td className={classes.tactic} title={tactics}>
        {tactics || "–"}
      </td>
      <td className={page.number}>
        {typeof signals === "string" ? (
          signals
        ) : (
          <AppLink to={`/signals${stringifySearch({ query: `@workflow.rule.id:${rule.id}` })}`} title={`Signals of ${name}`}>
            {formatNumber(signals)}
          </AppLink>
        )}
      </td>
      <td>
        <RelativeTime time={rule.updatedAt ?? rule.createdAt ?? null} />
      </td>
    </tr>
  );
}
