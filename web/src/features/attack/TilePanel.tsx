import { useInfiniteQuery } from "@tanstack/react-query";
import type { AttackMapAnswer } from "@/api/attack";
import { rulesQuery } from "@/api/rules";
import { AppLink } from "@/components/AppLink";
import { Columns, More, type Column } from "@/components/List";
import page from "@/components/Page.module.css";
import { Section } from "@/components/Section";
import { SeverityLabel } from "@/components/Severity";
import { SidePanel } from "@/components/SidePanel";
import { ErrorState, SkeletonRows } from "@/components/states";
import { formatNumber, plural } from "@/lib/format";
import { SEVERITIES } from "@/lib/severity";
import type { Range } from "@/lib/time";
import { stringifySearch } from "@/lib/urlState";
import classes from "./attack.module.css";
import { signalsQuery, tileQuery, type MatrixTile } from "./model";

const COLUMNS: Column[] = [{ label: "Severity" }, { label: "Rule" }, { label: "State" }, { label: "Signals", isNumber: true }];

interface Props {
  chosen: MatrixTile;
  answer: AttackMapAnswer;
  range: Range;
  byRule: ReadonlyMap<string, number> | null;
  onClose: () => void;
}

/** A technique: what it is, its rules and their signals, and its sub-techniques, with and without rules. */
export function TilePanel({ chosen: { tactic, technique, tile, signals }, answer, range, byRule, onClose }: Props) {
  const query = tileQuery(answer.meta.query, tactic.id, technique.id);
  const list = useInfiniteQuery({ ...rulesQuery(query, "-highest_severity"), enabled: tile.rules.length > 0 });
  const rules = list.data?.pages.flatMap(({ data }) => data) ?? [];
  const subs = answer.included.filter(({ id }) => id.startsWith(`${technique.id}.`));
  const signalsAddress = (ids: readonly string[]) => `/signals${stringifySearch({ query: signalsQuery(ids), from: range.from, to: range.to })}`;
  return (
    <SidePanel
      label={`${technique.id} ${technique.attributes.name}`}
      onClose={onClose}
      header={
        <>
          <p className={page.dim}>
            {tactic.attributes.name}, {technique.id}
          </p>
          <h2 className={page.heading}>{technique.attributes.name}</h2>
        </>
      }
    >
      <Section title="The technique">
        <p className={classes.text}>{technique.attributes.text}</p>
        <p>
          <a href={technique.attributes.url} target="_blank" rel="noreferrer noopener">
            {technique.id} at MITRE
          </a>
        </p>
      </Section>
      <Section
        title="Rules"
        aside={
          <span className={classes.totals}>
            {tile.rules.length > 0 && <AppLink to={`/rules${stringifySearch({ query })}`}>{plural(tile.rules.length, "rule")}</AppLink>}
            {tile.rules.length > 0 && signals !== null && <AppLink to={signalsAddress(tile.rules)}>{plural(signals, "signal")}</AppLink>}
          </span>
        }
      >
        {tile.rules.length === 0 && <p className={page.dim}>No rule of this map looks for it: a gap, unless another control covers it.</p>}
        {list.error && <ErrorState inline={rules.length > 0} error={list.error} retry={() => void list.refetch()} />}
        {tile.rules.length > 0 && list.isPending && <SkeletonRows rows={Math.min(tile.rules.length, 6)} />}
        {rules.length > 0 && (
          <table className={page.table}>
            <Columns columns={COLUMNS} />
            <tbody>
              {rules.map((rule) => (
                <tr key={rule.id} data-off={!rule.isEnabled || undefined}>
                  <td>
                    <SeverityLabel severity={SEVERITIES.find((severity) => rule.cases.some(({ status }) => status === severity)) ?? "info"} />
                  </td>
                  <td className={page.grow}>
                    <AppLink to={`/rules/${rule.id}`}>{rule.customName || rule.name}</AppLink>
                  </td>
                  <td>{rule.isEnabled ? "Enabled" : "Disabled"}</td>
                  <td className={page.number}>{byRule ? <AppLink to={signalsAddress([rule.id])}>{formatNumber(byRule.get(rule.id) ?? 0)}</AppLink> : "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <More query={list} />
      </Section>
      {subs.length > 0 && (
        <Section title="Sub-techniques">
          <ul className={classes.subs}>
            {subs.map((sub) => {
              const count = tile.sub_techniques[sub.id] ?? 0;
              return (
                <li key={sub.id} data-gap={count === 0 || undefined}>
                  <span className={page.mono}>{sub.id}</span>
                  <span className="truncate">{sub.attributes.name}</span>
                  {count === 0 ? <span className={page.dim}>no rule</span> : <AppLink to={`/rules${stringifySearch({ query: tileQuery(answer.meta.query, tactic.id, sub.id) })}`}>{plural(count, "rule")}</AppLink>}
                </li>
              );
            })}
          </ul>
        </Section>
      )}
    </SidePanel>
  );
}
