import { Progress } from "@mantine/core";
import type { HuntItem } from "@/api/intel";
import { AppLink } from "@/components/AppLink";
import pages from "@/components/Page.module.css";
import { AbsoluteTime, RelativeTime } from "@/components/Time";
import { formatNumber } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";
import classes from "./intel.module.css";

const RETROACTIVE = `/signals${stringifySearch({ query: "@threat_intel.retroactive:true", from: "now-30d", to: "now" })}`;
const STATE_WORDS = { running: "Running", done: "Done", failed: "Failed" } as const;

/** Hunts with how far they have come; `feedName` tells the feed of each, null where all are of one. */
export function HuntTable({ hunts, feedName }: { hunts: HuntItem[]; feedName: ((feedId: string) => string) | null }) {
  return (
    <table className={pages.table}>
      <thead>
        <tr>
          {feedName && <th scope="col">Feed</th>}
          <th scope="col">Began</th>
          <th scope="col">State</th>
          <th scope="col" className={pages.number}>
            New indicators
          </th>
          <th scope="col" className={pages.number}>
            Logs read
          </th>
          <th scope="col" className={pages.number}>
            Logs found
          </th>
          <th scope="col">Looked back to</th>
        </tr>
      </thead>
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
            <td className={pages.number}>{formatNumber(hunt.indicators)}</td>
            <td className={pages.number}>{formatNumber(hunt.logs_scanned)}</td>
            <td className={pages.number}>
              {hunt.logs_found > 0 ? (
                <AppLink to={RETROACTIVE} title="The signals that hunts raised">
                  {formatNumber(hunt.logs_found)}
                </AppLink>
              ) : (
                "0"
              )}
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
