import { Button, SegmentedControl, Select, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { attackMapQuery, type AttackMapAnswer } from "@/api/attack";
import { facetQuery } from "@/api/explore";
import { useMay } from "@/api/session";
import { TimeRange } from "@/components/explorer/TimeRange";
import { useRange } from "@/components/explorer/useRange";
import { Legend } from "@/components/Legend";
import page from "@/components/Page.module.css";
import { PageBar } from "@/components/PageBar";
import { SearchField } from "@/components/SearchField";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { formatNumber, plural } from "@/lib/format";
import type { Range } from "@/lib/time";
import classes from "./attack.module.css";
import { AttackMatrix } from "./AttackMatrix";
import { DENSITIES, matrixOf, readFilter, ruleQuery } from "./model";
import { StrayPanel } from "./StrayPanel";
import { TilePanel } from "./TilePanel";

const DEFAULT_RANGE: Range = { from: "now-7d", to: "now" };
const RULES_COUNTED = 1000;

interface Props {
  search: Record<string, string | undefined>;
  change: (change: Record<string, string | undefined>, options?: { push?: boolean }) => void;
}

/** Tactics by techniques: what rules look for, what they found, and where none looks (siem.md §10.3). */
export function AttackPage({ search, change }: Props) {
  const filter = readFilter(search);
  const { range, resolved, setRange } = useRange(search, change, DEFAULT_RANGE);
  const times = useMemo(() => ({ from: new Date(resolved.from).toISOString(), to: new Date(resolved.to).toISOString() }), [resolved]);
  const map = useQuery(attackMapQuery(ruleQuery(filter), filter.source === "active" ? "active" : "all", times.from, times.to));
  const mayCount = useMay("security_monitoring_signals_read");
  const counts = useQuery({ ...facetQuery("signals", { query: "", ...times }, "@workflow.rule.id", RULES_COUNTED, ""), enabled: mayCount });
  const byRule = useMemo(() => (counts.data ? new Map(counts.data.data[0]?.values.map(({ value, count }) => [value, count])) : null), [counts.data]);
  const condensed = search.view === "condensed";
  const densities = useMemo(() => search.density?.split(",") ?? [], [search.density]);
  const matrix = useMemo(
    () => map.data && matrixOf(map.data, { tactic: search.tactic, densities, order: condensed ? "id" : "name", signalsOf: byRule && ((rule) => byRule.get(rule) ?? 0) }),
    [map.data, search.tactic, densities, condensed, byRule],
  );
  const opener = useRef<HTMLElement | null>(null);

  const close = () => {
    change({ technique: undefined, under: undefined, strays: undefined });
    opener.current?.focus();
  };
  const chosen = matrix?.columns.flatMap(({ tiles }) => tiles).find(({ technique, tactic }) => technique.id === search.technique && tactic.id === search.under) ?? null;
  const strays = map.data?.meta.not_on_map ?? [];
  return (
    <div className={page.page}>
      <PageBar
        title="ATT&CK map"
        actions={<TimeRange range={range} resolved={resolved} onChange={setRange} />}
      >
        <SearchField isQuery label="Search rules" placeholder="Rules: severity:high, method:threshold, okta" value={filter.text} onSearch={(query) => change({ query })} />
        <SourceSelect value={filter.source} active={map.data?.meta.active_sources ?? []} onChange={(source) => change({ source: source === "active" ? undefined : source })} />
        <SegmentedControl
          size="xs"
          aria-label="State of the rules"
          data={[
            { value: "enabled", label: "Enabled" },
            { value: "disabled", label: "Disabled" },
            { value: "all", label: "All" },
          ]}
          value={filter.state}
          onChange={(state) => change({ state: state === "enabled" ? undefined : state })}
        />
        <Select
          size="xs"
          w={130}
          aria-label="Origin of the rules"
          allowDeselect={false}
          data={[
            { value: "all", label: "Any origin" },
            { value: "default", label: "Default rules" },
            { value: "custom", label: "Custom rules" },
          ]}
          value={filter.origin}
          onChange={(origin) => change({ origin: origin === "all" ? undefined : (origin ?? undefined) })}
        />
      </PageBar>
      <Legend
        label="Density of rules"
        unit="techniques"
        choices={DENSITIES.map(({ id, label, range: rules }) => ({ id, label, detail: rules, count: matrix ? formatNumber(matrix.techniques[id]) : "…" }))}
        chosen={densities}
        onChoose={(next) => change({ density: next.join(",") })}
        swatch={(id) => <span className={classes.swatch} data-density={id} aria-hidden="true" />}
      >
        {map.data && matrix && <Summary answer={map.data} covered={matrix.techniques.low + matrix.techniques.medium + matrix.techniques.high} all={map.data.meta.rules} gaps={matrix.techniques.none} />}
        <div className={page.end}>
          {strays.length > 0 && (
            <button
              type="button"
              className="link"
              onClick={(event) => {
                opener.current = event.currentTarget;
                change({ strays: "1", technique: undefined, under: undefined }, { push: true });
              }}
            >
              {plural(strays.length, "rule")} not on the map
            </button>
          )}
          <Button variant="default" size="compact-xs" onClick={() => change({ view: condensed ? undefined : "condensed" })}>
            {condensed ? "Expand" : "Condense"}
          </Button>
        </div>
      </Legend>
      {map.error && <ErrorState inline={map.data !== undefined} error={map.error} retry={() => void map.refetch()} />}
      <div className={page.split}>
        <div className={page.scroll} aria-busy={map.isFetching}>
          {map.isPending && <SkeletonRows rows={18} height={36} />}
          {map.data && filter.source === "active" && map.data.meta.active_sources.length === 0 && (
            <EmptyState title="No source sent logs in this time">
              <p>The map shows the rules of sources that are analysed.</p>
              <Button variant="default" onClick={() => change({ source: "all" })}>
                Show the rules of all sources
              </Button>
            </EmptyState>
          )}
          {matrix && !(filter.source === "active" && map.data?.meta.active_sources.length === 0) && (
            <AttackMatrix
              matrix={matrix}
              condensed={condensed}
              chosen={chosen}
              tactic={search.tactic}
              onTactic={(tactic) => change({ tactic })}
              onOpen={(tile, from) => {
                opener.current = from;
                change({ technique: tile.technique.id, under: tile.tactic.id, strays: undefined }, { push: search.technique === undefined });
              }}
            />
          )}
          {map.data && (
            <p className={classes.attribution}>
              ATT&amp;CK {map.data.meta.version}. {map.data.meta.attribution}
            </p>
          )}
        </div>
        {map.data && chosen && <TilePanel key={`${chosen.tactic.id}-${chosen.technique.id}`} chosen={chosen} answer={map.data} range={range} byRule={byRule} onClose={close} />}
        {map.data && !chosen && search.strays && <StrayPanel strays={strays} onClose={close} />}
      </div>
    </div>
  );
}

function Summary({ answer, covered, gaps, all }: { answer: AttackMapAnswer; covered: number; gaps: number; all: number }) {
  return (
    <span className={page.dim}>
      {plural(all, "rule")}, {formatNumber(covered)} of {plural(covered + gaps, "technique")} covered
      {answer.meta.sourceless > 0 && (
        <Tooltip label="Rules whose tags name no source cannot be told to belong to an active one; “All sources” shows them too.">
          <span>, {plural(answer.meta.sourceless, "rule")} without a source left out</span>
        </Tooltip>
      )}
    </span>
  );
}

function SourceSelect({ value, active, onChange }: { value: string; active: readonly string[]; onChange: (source: string) => void }) {
  const known = active.includes(value) || value === "active" || value === "all" ? active : [value, ...active];
  return (
    <Select
      size="xs"
      w={150}
      searchable
      aria-label="Sources"
      allowDeselect={false}
      data={[{ value: "active", label: "Active sources" }, { value: "all", label: "All sources" }, ...known.map((source) => ({ value: source, label: source }))]}
      value={value}
      onChange={(source) => source && onChange(source)}
    />
  );
}
