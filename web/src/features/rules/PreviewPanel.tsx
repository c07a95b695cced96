import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Loader } from "@mantine/core";
import { ApiError } from "@/api/errors";
import { previewQuery, type RulePreview } from "@/api/rules";
import { AppLink } from "@/components/AppLink";
import { TimeRange } from "@/components/explorer/TimeRange";
import { SeverityLabel } from "@/components/Severity";
import { ErrorState, SkeletonRows } from "@/components/states";
import { CellTime } from "@/components/Time";
import { useNow } from "@/components/useNow";
import { formatNumber, plural, sentence } from "@/lib/format";
import { resolveTime, type Range } from "@/lib/time";
import { useZone } from "@/components/zone";
import { stringifySearch } from "@/lib/urlState";
import { useEditor } from "./editor";
import { addressOf, hiddenFromSearch, isUsable, NO_SEARCH, previewed, readByAll } from "./preview";
import { PreviewChart } from "./PreviewChart";
import classes from "./preview.module.css";

const SETTLE_MS = 500;
const LONG_DAYS = 7;

/** What the rule, as it stands in the form, finds in stored logs, or signals; asked again with each change that matters. */
export function PreviewPanel({ onRange }: { onRange: (range: Range) => void }) {
  const { draft, faults, range } = useEditor();
  const { zone } = useZone();
  const now = useNow();
  const resolved = { from: resolveTime(range.from, now, zone) ?? now - 86_400_000, to: resolveTime(range.to, now, zone) ?? now };
  return (
    <aside className={classes.panel} aria-label="Preview">
      <div className={classes.head}>
        <h2>Preview</h2>
        <TimeRange range={range} resolved={resolved} onChange={onRange} />
      </div>
      {!isUsable(draft) ? (
        <p className={classes.note}>Write a query, and what it finds in this range appears here, with the signals that the rule would have raised.</p>
      ) : (
        <Result isFaulty={faults.length > 0} />
      )}
    </aside>
  );
}

function Result({ isFaulty }: { isFaulty: boolean }) {
  const { draft, range, isNew, isChecked } = useEditor();
  const { ruleId } = useParams({ strict: false });
  const asked = previewed(draft);
  const [settled] = useDebouncedValue(JSON.stringify(asked), SETTLE_MS);
  const isSettled = settled === JSON.stringify(asked);
  const preview = useQuery({ ...previewQuery(JSON.parse(settled) as object, isNew ? undefined : ruleId, range.from, range.to), placeholderData: keepPreviousData, enabled: isChecked && !isFaulty && isSettled });
  const invalid = preview.error instanceof ApiError && preview.error.fields.length > 0;
  const isStale = isFaulty || !isSettled || preview.isPlaceholderData || preview.isFetching;
  return (
    <div aria-busy={isStale && !isFaulty}>
      <p className={classes.state} role="status">
        {isFaulty || invalid ? (
          "Waits until the rule is complete"
        ) : preview.isFetching || !isSettled ? (
          <>
            <Loader size={11} /> {isSettled ? "Running …" : "Waits for you to stop typing"}
          </>
        ) : preview.data ? (
          `Over stored ${readByAll(draft)}s, in ${(preview.data.elapsed_ms / 1000).toFixed(1)} s`
        ) : null}
      </p>
      {preview.error && !invalid && !isStale && <ErrorState inline error={preview.error} retry={() => void preview.refetch()} />}
      {!preview.data && preview.isFetching && <SkeletonRows rows={6} />}
      {preview.data && !(preview.error && !isStale) && <Found preview={preview.data} isStale={isStale} />}
    </div>
  );
}

function Found({ preview, isStale }: { preview: RulePreview; isStale: boolean }) {
  const { signals, queries, failed } = preview;
  const { draft } = useEditor();
  const noun = readByAll(draft);
  const asked = queries.map((query) => query.query);
  const unsearchable = noun === "event" ? NO_SEARCH : (queries.map((query) => hiddenFromSearch(draft, query.query)).find((why) => why !== null) ?? null);
  const range = { from: String(Date.parse(preview.from)), to: String(Date.parse(preview.to)) };
  const days = (Date.parse(preview.to) - Date.parse(preview.from)) / 86_400_000;
  const found = queries.reduce((sum, query) => sum + query.total, 0);
  const address = (query: string, span: { from: string; to: string }) => addressOf(noun === "signal" ? "signal" : "log", query, span);
  return (
    <div className={classes.found} data-stale={isStale || undefined}>
      <PreviewChart preview={preview} />
      <h3>
        {plural(signals.total, "signal")}
        {signals.total > 0 && days >= 1 && <span className={classes.dim}> · {formatNumber(Math.round((signals.total / days) * 10) / 10)} a day</span>}
      </h3>
      {signals.hidden.by.length > 0 && (
        <p className={classes.note}>
          {hiddenText(signals.hidden, signals.total)}{" "}
          {signals.hidden.by.map((one, index) => (
            <span key={one.id}>
              {index > 0 && ", "}
              <AppLink to={`/suppressions${stringifySearch({ open: one.id })}`}>{one.name}</AppLink>
            </span>
          ))}
        </p>
      )}
      {found === 0 && signals.total > 0 && <p className={classes.note}>No {noun} of this range matches a query: that nothing came is what the ends of runs tell.</p>}
      {found === 0 && signals.total === 0 && <p className={classes.note}>No {noun} of this range matches a query. Choose a longer range, or open the query in the explorer and drop a condition.</p>}
      {found > 0 && signals.total === 0 && <p className={classes.note}>{sentence(noun)}s match, but no case holds: the rule would have raised nothing. {days < LONG_DAYS ? "Methods that learn need a longer range than they learn for." : ""}</p>}
      {failed.length > 0 && (
        <p className={classes.fault} role="alert">
          {plural(failed.length, "group")} could not be decided, first {failed[0]?.group.join(", ") || "all"}: {failed[0]?.reason}
        </p>
      )}
      {signals.shown.length > 0 && (
        <ol className={classes.signals} aria-label="Signals that the rule would have raised">
          {signals.shown.map((signal) => (
            <li key={signal.id || `${signal.timestamp}-${signal.title}`}>
              <span className={classes.when}>
                <CellTime time={Date.parse(signal.timestamp)} />
              </span>
              <SeverityLabel severity={signal.severity} compact />
              <span className={classes.title}>
                {signal.title}
                {signal.hides === "signal" && <span className={classes.dim}> · would be hidden</span>}
                <span className={classes.group}>
                  {Object.entries(signal.group)
                    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(", ") : String(value)}`)
                    .join(" · ")}
                </span>
              </span>
              {unsearchable === null ? (
                <AppLink to={address(searchFor(signal, asked), spanOf(signal))} className={classes.events} title={`The ${noun}s of this signal`}>
                  {formatNumber(signal.events_matched)}
                </AppLink>
              ) : (
                <span className={classes.events} title={unsearchable}>
                  {formatNumber(signal.events_matched)}
                </span>
              )}
            </li>
          ))}
        </ol>
      )}
      {signals.total > signals.shown.length && (
        <p className={classes.note}>
          Cut off: the first {formatNumber(signals.shown.length)} of {formatNumber(signals.total)} are listed, the chart has all. {unsearchable === null && <AppLink to={address(asked[0] ?? "", range)}>All {noun}s of the first query</AppLink>}
        </p>
      )}
    </div>
  );
}

/** What the suppressions of now would hide of what is found. */
function hiddenText({ signals, updates, judged }: RulePreview["signals"]["hidden"], total: number): string {
  const of = judged < total ? ` of the first ${formatNumber(judged)}` : "";
  const parts = [signals > 0 && `${formatNumber(signals)}${of} would be hidden`, updates > 0 && `${formatNumber(updates)}${of} would be shown without what joins later`];
  return `${parts.filter(Boolean).join(", ")}, by`;
}

type Signal = RulePreview["signals"]["shown"][number];

/** The search that finds what a previewed signal consists of. */
function searchFor(signal: Signal, queries: string[]): string {
  const scope = Object.entries(signal.group).flatMap(([name, value]) => (typeof value === "string" ? [value === "N/A" ? `-${name}:*` : `${name}:"${value.replace(/(["\\])/g, "\\$1")}"`] : []));
  const all = queries.map((query) => `(${query})`).join(" OR ");
  return [queries.length > 1 ? `(${all})` : (queries[0] ?? ""), ...scope].join(" ");
}

const spanOf = (signal: Signal) => ({ from: String(Date.parse(signal.first_seen) - 1000), to: String(Date.parse(signal.last_seen) + 1000) });
