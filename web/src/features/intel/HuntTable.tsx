import { Progress } from "@mantine/core";
import type { HuntItem } from "@/api/intel";
import { AppLink } from "@/components/AppLink";
import { Columns, type Column } from "@/components/List";
import pages from "@/components/Page.module.css";
import { AbsoluteTime, RelativeTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { quoteValue } from "@/lib/queryText";
import { stringifySearch } from "@/lib/urlState";
import classes from "./intel.module.css";
import { INDICATOR_FIELD } from "./labels";

/** Indicators that are shown by name. */
const NAMED = 2;

type Hunt = HuntItem["attributes"];

/** The signals that a hunt raised: those of hunts, with the indicators that this one found. */
const raised = (hunt: Hunt, indicators: readonly string[]): string =>
  `/signals${stringifySearch({ query: ["@threat_intel.retroactive:true", indicators.length === hunt.indicators_found || indicators.length === 1 ? anyOf(indicators) : ""].filter(Boolean).join(" "), from: String(Date.parse(hunt.searched_from)), to: String(Date.parse(hunt.searched_to)) })}`;
const anyOf = (indicators: readonly string[]): string => (indicators.length === 0 ? "" : `${INDICATOR_FIELD}:(${indicators.map(quoteValue).join(" OR ")})`);
const STATE_WORDS = { running: "Running", done: "Done", failed: "Failed" } as const;

const FEED: Column = { label: "Feed" };
const COLUMNS: Column[] = [{ label: "Began" }, { label: "State" }, { label: "New indicators", isNumber: true }, { label: "Logs read", isNumber: true }, { label: "Logs found", isNumber: true }, { label: "Indicators found" }, { label: "Looked back to" }];

/** Hunts with how far they have come; `feedName` tells the feed of each, null where all are of one. */
export function HuntTable({ hunts, feedName }: { hunts: HuntItem[]; feedName: ((feedId: string) => string) | null }) {
  return (
    <table className={pages.table}>
      <Columns columns={feedName ? [FEED, ...COLUMNS] : COLUMNS} />
      <tbody>
        {hunts.map(({ id, attributes: hunt }) => (
          <tr key={id}>
            {feedName && (
              <td className={pages.text}>
                <AppLink to={`/intel${stringifySearch({ tab: "feeds", feed: hunt.feed_id, part: "hunts" })}`}>{feedName(hunt.feed_id)}</AppLink>
              </td>
            )}
            <td>
              <RelativeTime time={Date.parse(hunt.created_at)} />
            </td>
            <td>
              {hunt.state === "running" ? (
                <span className={classes.progress}>
                  <Progress size="sm" w={60} value={hunt.progress * 100} aria-label="How much was looked through" /> {Math.round(hunt.progress * 100)} %
                </span>
              ) : (
                STATE_WORDS[hunt.state]
              )}
              {hunt.note && (
                <span className={pages.dim} title={hunt.note}>
                  {" "}
                  · {hunt.note}
                </span>
              )}
            </td>
            <td className={pages.number}>
              <AppLink to={`/intel${stringifySearch({ tab: "feeds", feed: hunt.feed_id, part: "indicators", refresh: hunt.created_at })}`} title="The indicators that it looks for, as far as the feed still holds them">
                {formatNumber(hunt.indicators)}
              </AppLink>
            </td>
            <td className={pages.number}>
              <AppLink to={`/logs${stringifySearch({ from: String(Date.parse(hunt.reached)), to: String(Date.parse(hunt.searched_to)) })}`} title="The logs of the time that was looked through">
                {formatNumber(hunt.logs_scanned)}
              </AppLink>
            </td>
            <td className={pages.number}>
              {hunt.logs_found > 0 ? (
                <AppLink to={raised(hunt, hunt.found.map(({ indicator }) => indicator))} title="The signals with these logs">
                  {formatNumber(hunt.logs_found)}
                </AppLink>
              ) : (
                "0"
              )}
            </td>
            <td className={pages.text} title={hunt.found.map(({ indicator, logs }) => `${indicator}: ${plural(logs, "log")}`).join("\n")}>
              {hunt.found.slice(0, NAMED).map(({ indicator }, index) => (
                <span key={indicator}>
                  {index > 0 && ", "}
                  <AppLink to={raised(hunt, [indicator])} className={classes.indicator} title={`Signals with ${indicator}`}>
                    {indicator}
                  </AppLink>
                </span>
              ))}
              {hunt.indicators_found > NAMED && <span className={pages.dim}> +{formatNumber(hunt.indicators_found - NAMED)}</span>}
              {hunt.indicators_found === 0 && <span className={pages.dim}>{hunt.state === "running" ? "none so far" : "–"}</span>}
            </td>
            <td>
              <AbsoluteTime time={Date.parse(hunt.searched_from)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
