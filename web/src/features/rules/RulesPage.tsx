import { Button, Switch, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { facetQuery } from "@/api/explore";
import { rulesQuery, updateRule } from "@/api/rules";
import { useMay } from "@/api/session";
import type { Rule } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { useHotkeys } from "@/components/hotkeys";
import { Icon } from "@/components/icons";
import { SeverityLabel } from "@/components/Severity";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { useRouter } from "@tanstack/react-router";
import { attackLabel, formatNumber, plural } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";
import { highestSeverity } from "./ruleDraft";
import common from "@/components/Page.module.css";
import classes from "./rules.module.css";

const WRITE = "security_monitoring_rules_write";
const COUNTED_DAYS = 7;

interface Props {
  query: string;
  sort: string;
  onChange: (next: { query: string; sort: string }) => void;
}

const COLUMNS: { label: string; sort?: string; className?: string }[] = [
  { label: "On", sort: "enabled" },
  { label: "Severity", sort: "highest_severity" },
  { label: "Rule", sort: "name" },
  { label: "Source", sort: "source" },
  { label: "Tactic" },
  { label: `Signals, ${String(COUNTED_DAYS)} days` },
  { label: "Changed", sort: "update_date" },
];

export function RulesPage({ query, sort, onChange }: Props) {
  const router = useRouter();
  const list = useInfiniteQuery(rulesQuery(query, sort));
  const rules = list.data?.pages.flatMap((page) => page.data) ?? [];
  const page = list.data?.pages[0]?.meta.page;
  const total = page?.total_filtered_count ?? page?.total_count ?? rules.length;
  const may = useMay(WRITE);
  const mayCount = useMay("security_monitoring_signals_read");
  const [text, setText] = useState(query);
  const search = useDebouncedCallback((next: string) => onChange({ query: next.trim(), sort }), 250);
  const [now] = useState(() => Date.now());
  const filter = useMemo(() => ({ query: "", from: new Date(now - COUNTED_DAYS * 86_400_000).toISOString(), to: new Date(now).toISOString() }), [now]);
  const counts = useQuery({ ...facetQuery("signals", filter, "@workflow.rule.id", 1000, ""), enabled: mayCount });
  const signalsOf = (id: string) => counts.data?.data[0]?.values.find((value) => value.value === id)?.count ?? 0;

  useEffect(() => {
    document.title = "Rules · Tocsin";
  }, []);
  useHotkeys([{ keys: ["/"], label: "Search", group: "Everywhere", run: () => document.getElementById("rule-search")?.focus() }]);

  return (
    <div className={classes.page}>
      <div className={classes.bar}>
        <h1 className={classes.title}>Rules</h1>
        <TextInput
          id="rule-search"
          size="xs"
          className={classes.search}
          aria-label="Search rules"
          placeholder="Search rules: okta, severity:high, enabled:false, tactic:ta0006*"
          leftSection={<Icon name="search" size={14} />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            search(event.currentTarget.value);
          }}
        />
        <span className={classes.dim}>{list.data && plural(total, "rule")}</span>
        <Tooltip label={may ? "A new detection rule" : `This needs the permission ${WRITE}`}>
          <Button leftSection={<Icon name="plus" size={14} />} disabled={!may} onClick={() => router.history.push("/rules/new")}>
            New rule
          </Button>
        </Tooltip>
      </div>
      {list.error && <ErrorState inline={rules.length > 0} error={list.error} retry={() => void list.refetch()} />}
      {list.isPending ? (
        <SkeletonRows rows={16} height={34} />
      ) : (
        <div className={classes.scroll}>
          <table className={`${common.table} ${classes.table}`} aria-busy={list.isFetching}>
            <thead>
              <tr>
                {COLUMNS.map((column) => {
                  const direction = sort === column.sort ? "ascending" : sort === `-${column.sort ?? ""}` ? "descending" : undefined;
                  return (
                    <th key={column.label} scope="col" aria-sort={direction ?? (column.sort ? "none" : undefined)}>
                      {column.sort ? (
                        <button type="button" className={classes.sort} onClick={() => onChange({ query, sort: direction === "descending" ? (column.sort ?? "") : `-${column.sort ?? ""}` })}>
                          {column.label}
                          {direction && <Icon name={direction === "descending" ? "sortDown" : "sortUp"} size={11} />}
                        </button>
                      ) : (
                        column.label
                      )}
                    </th>
                  );
                })}
              </tr>
            </thead>
            <tbody>
              {rules.map((rule) => (
                <RuleRow key={rule.id} rule={rule} may={may} signals={counts.data ? signalsOf(rule.id) : null} />
              ))}
            </tbody>
          </table>
          {rules.length === 0 && !list.error && (
            <EmptyState title={query ? "No rule matches this search" : "There are no rules yet"}>
              {query ? (
                <Button
                  variant="default"
                  onClick={() => {
                    setText("");
                    onChange({ query: "", sort });
                  }}
                >
                  Show all rules
                </Button>
              ) : (
                <p>Rules that come with Tocsin appear here after its first start.</p>
              )}
            </EmptyState>
          )}
          {list.hasNextPage && (
            <Button variant="default" m="md" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              Show more
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function RuleRow({ rule, may, signals }: { rule: Rule; may: boolean; signals: number | null }) {
  const client = useQueryClient();
  const toggle = useMutation({
    mutationFn: (isEnabled: boolean) => updateRule(rule.id, { isEnabled }),
    onSettled: () => client.invalidateQueries({ queryKey: ["rules"] }),
    onError: (error) => notifications.show({ title: `${rule.name} was not changed`, message: error.message, color: "gray" }),
  });
  const enabled = toggle.isPending ? toggle.variables : rule.isEnabled;
  const tagged = (key: string) => rule.tags.filter((tag) => tag.startsWith(`${key}:`)).map((tag) => tag.slice(key.length + 1));
  return (
    <tr data-off={!enabled || undefined}>
      <td>
        <Tooltip label={may ? (enabled ? "Disable" : "Enable") : `This needs the permission ${WRITE}`}>
          <Switch size="xs" aria-label={`${rule.name} enabled`} checked={enabled} disabled={!may || toggle.isPending} onChange={(event) => toggle.mutate(event.currentTarget.checked)} />
        </Tooltip>
      </td>
      <td>
        <SeverityLabel severity={highestSeverity(rule)} />
      </td>
      <td className={classes.name}>
        <AppLink to={`/rules/${rule.id}`}>{rule.customName || rule.name}</AppLink>
      </td>
      <td>{tagged("source").join(", ") || "–"}</td>
      <td className={classes.tactic}>{tagged("tactic").map(attackLabel).join(", ") || "–"}</td>
      <td className={classes.number}>
        {signals === null ? (
          "…"
        ) : (
          <AppLink to={`/signals${stringifySearch({ query: `@workflow.rule.id:${rule.id}` })}`} title={`Signals of ${rule.name}`}>
            {formatNumber(signals)}
          </AppLink>
        )}
      </td>
      <td>{rule.updatedAt ? <RelativeTime time={rule.updatedAt} /> : rule.createdAt ? <RelativeTime time={rule.createdAt} /> : "–"}</td>
    </tr>
  );
}
