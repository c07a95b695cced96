import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useMay } from "@/api/session";
import { previewQuery, type SuppressionFields, type SuppressionPreview } from "@/api/suppressions";
import { AppLink } from "@/components/AppLink";
import { Icon } from "@/components/icons";
import page from "@/components/Page.module.css";
import { Section } from "@/components/Section";
import { SeverityLabel } from "@/components/Severity";
import { ErrorState, SkeletonRows } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { ARCHIVE_REASONS, type ArchiveReason } from "@/lib/severity";
import { stringifySearch } from "@/lib/urlState";
import { previewLinks, type PreviewLinks } from "./previewLinks";
import classes from "./suppressions.module.css";

const SPANS = [7, 30, 90].map((days) => ({ value: String(days), label: `${String(days)} days` }));
const RULES_SHOWN = 8;
const EXAMPLES_SHOWN = 5;

/** While it is written: what it would have hidden of what is stored. */
export function Preview({ fields, isStored }: { fields: SuppressionFields; isStored: boolean }) {
  const may = useMay("security_monitoring_signals_read");
  const [days, setDays] = useState(30);
  const [settled] = useDebouncedValue(fields, 400);
  const hasQuery = settled.suppression_query.trim() !== "" || settled.data_exclusion_query.trim() !== "";
  const isComplete = settled.rule_query.trim() !== "" && hasQuery;
  const preview = useQuery({ ...previewQuery(settled, days), enabled: may && isComplete });
  return (
    <Section
      title={isStored ? "What it would hide of the signals that are shown" : "What it would have hidden"}
      aside={<Select size="xs" w={100} aria-label="Days to look back" data={SPANS} value={String(days)} allowDeselect={false} onChange={(value) => setDays(Number(value ?? 30))} />}
    >
      {!may ? (
        <p className={page.dim}>The preview needs the permission security_monitoring_signals_read.</p>
      ) : !isComplete ? (
        <p className={page.dim}>Say which rules, and which signals or events: then this shows what the last {days} days would have lost.</p>
      ) : preview.error && !preview.isFetching ? (
        <ErrorState inline error={preview.error} retry={() => void preview.refetch()} />
      ) : preview.data ? (
        <div className={classes.preview} aria-busy={preview.isFetching} data-stale={preview.isPlaceholderData || undefined}>
          <Result preview={preview.data} fields={settled} days={days} />
        </div>
      ) : (
        <SkeletonRows rows={3} height={24} />
      )}
    </Section>
  );
}

function Result({ preview, fields, days }: { preview: SuppressionPreview; fields: SuppressionFields; days: number }) {
  const { signals, events } = preview;
  const links = previewLinks(preview, fields.suppression_query);
  const hides = fields.suppression_query.trim() !== "";
  return (
    <>
      <p className={classes.verdict}>
        {hides && (
          <>
            It would have hidden <Count to={signals.hidden > 0 ? links.hidden : null}>{formatNumber(signals.hidden)}</Count> of <Count to={signals.total > 0 ? links.total : null}>{plural(signals.total, "signal")}</Count> in {days} days
            {signals.hidden > 0 && (
              <>
                , of these <Count to={signals.true_positives > 0 ? links.truePositives : null}>{formatNumber(signals.true_positives)}</Count> archived as true positive
              </>
            )}
            .{" "}
          </>
        )}
        {events && (
          <>
            The rules would not have seen {formatNumber(events.excluded)} of the {plural(events.matched, "event")} that they matched.{" "}
            <AppLink to={`/logs${stringifySearch({ query: fields.data_exclusion_query, from: preview.from, to: preview.to })}`}>These events in Logs</AppLink>
          </>
        )}
      </p>
      <p className={page.dim}>
        {plural(preview.rules_in_scope, "rule")} in scope: <AppLink to={`/rules${stringifySearch({ query: fields.rule_query === "*" ? "" : fields.rule_query })}`}>list them</AppLink>
      </p>
      {preview.warnings.length > 0 && (
        <ul className={classes.warnings} aria-label="Think about">
          {preview.warnings.map((warning, index) => (
            <li key={`${warning.code}-${String(index)}`}>
              <Icon name="alert" size={13} />
              {warning.message}.
            </li>
          ))}
        </ul>
      )}
      <Archived archived={signals.archived} links={links} />
      {hides && <Shares preview={preview} links={links} />}
      {preview.examples.length > 0 && (
        <>
          <h3 className={classes.subtitle}>The latest of them</h3>
          <ul className={classes.examples}>
            {preview.examples.slice(0, EXAMPLES_SHOWN).map((signal) => (
              <Example key={signal.id} signal={signal} from={preview.from} />
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Count({ to, children }: { to: string | null; children: ReactNode }) {
  return <strong>{to ? <AppLink to={to}>{children}</AppLink> : children}</strong>;
}

function Archived({ archived, links }: { archived: Record<string, number>; links: PreviewLinks }) {
  const reasons = Object.entries(archived).toSorted(([, left], [, right]) => right - left);
  if (reasons.length === 0) return null;
  return (
    <p className={page.dim}>
      Archived by people:{" "}
      {reasons.map(([reason, count], index) => (
        <span key={reason}>
          {index > 0 && ", "}
          <Count to={links.archived(reason)}>{formatNumber(count)}</Count> {(ARCHIVE_REASONS[reason as ArchiveReason] ?? reason).toLowerCase()}
        </span>
      ))}
    </p>
  );
}

/** By rule, those that would lose most first. */
function Shares({ preview, links }: { preview: SuppressionPreview; links: PreviewLinks }) {
  const [all, setAll] = useState(false);
  const losing = preview.rules.filter((share) => share.hidden > 0);
  if (losing.length === 0) return null;
  return (
    <table className={classes.shares}>
      <caption className="visually-hidden">Hidden signals by rule</caption>
      <thead>
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Hidden</th>
          <th scope="col">of</th>
          <th scope="col">
            <span className="visually-hidden">Share</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {(all ? losing : losing.slice(0, RULES_SHOWN)).map((share) => {
          const to = links.ofRule(share.rule_id);
          return (
            <tr key={share.rule_id}>
              <td className="truncate">
                <AppLink to={`/rules/${share.rule_id}`}>{share.rule_name}</AppLink>
              </td>
              <td>
                <AppLink to={to.hidden}>{formatNumber(share.hidden)}</AppLink>
              </td>
              <td>
                <AppLink to={to.total}>{formatNumber(share.total)}</AppLink>
              </td>
              <td>
                <progress value={share.hidden} max={share.total} aria-label={`${formatNumber(share.hidden)} of ${formatNumber(share.total)}`} />
              </td>
            </tr>
          );
        })}
      </tbody>
      {!all && losing.length > RULES_SHOWN && (
        <tfoot>
          <tr>
            <td colSpan={4}>
              <button type="button" className="link" onClick={() => setAll(true)}>
                {plural(losing.length - RULES_SHOWN, "more rule")}
              </button>
            </td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

function Example({ signal, from }: { signal: SuppressionPreview["examples"][number]; from: string }) {
  const { timestamp, custom } = signal.attributes as { timestamp?: string; custom?: { title?: string; status?: string } };
  return (
    <li>
      <SeverityLabel severity={custom?.status ?? ""} />
      <AppLink to={`/signals${stringifySearch({ event: signal.id, from, to: "now" })}`} className="truncate">
        {custom?.title ?? signal.id}
      </AppLink>
      <span className={page.dim}>
        <RelativeTime time={Date.parse(timestamp ?? "")} />
      </span>
    </li>
  );
}
