import { useQuery } from "@tanstack/react-query";
import { lookupQuery, type ListingItem } from "@/api/intel";
import { AppLink } from "@/components/AppLink";
import { List, NothingFound, type Column } from "@/components/List";
import pages from "@/components/Page.module.css";
import { RelativeTime } from "@/components/Time";
import { plural } from "@/lib/format";
import { quoteValue } from "@/lib/queryText";
import { stringifySearch } from "@/lib/urlState";
import classes from "./intel.module.css";
import { categoryLabel, IntentionLabel, logsOf, signalsOf, typeLabel } from "./labels";

const RELATION_WORDS: Record<ListingItem["attributes"]["relation"], string> = { exact: "the value itself", network: "a network around it", parent_domain: "a domain above it", host: "its host" };
const COLUMNS: Column[] = [{ label: "Indicator" }, { label: "Which is" }, { label: "Type" }, { label: "Intention" }, { label: "Category" }, { label: "Feed" }, { label: "Source" }, { label: "Since" }, { label: "Last 30 days" }];

/** What all feeds say of a value, whether a log holds it or not. */
export function Lookup({ value, onClose }: { value: string; onClose: () => void }) {
  const found = useQuery(lookupQuery(value));
  const listings = found.data ?? [];
  const feeds = new Set(listings.map(({ attributes }) => attributes.feed_id)).size;
  const written = <AppLink to={`/logs${stringifySearch({ query: quoteValue(value), from: "now-30d", to: "now" })}`}>Search the logs of the last 30 days for it</AppLink>;
  return (
    <>
      <div className={pages.bar}>
        <span>
          <span className={classes.indicator}>{value}</span>
          {listings.length > 0 && <span className={pages.dim}> · listed {listings.length === 1 ? "once" : `${String(listings.length)} times`} in {plural(feeds, "feed")}</span>}
        </span>
        {listings.length > 0 && written}
        <div className={pages.end}>
          <button type="button" className="link" onClick={onClose}>
            Back to the feeds
          </button>
        </div>
      </div>
      <div className={pages.split}>
        <List
          query={found}
          count={listings.length}
          columns={COLUMNS}
          empty={
            <NothingFound title="No feed lists it" all="Back to the feeds" onAll={onClose}>
              <p>Neither as it is, nor a network or domain that holds it. Feeds that are disabled were asked too.</p>
              <p>{written}</p>
            </NothingFound>
          }
        >
          {listings.map(({ id, attributes: listing }) => (
            <tr key={id} data-off={!listing.in_use || undefined}>
              <td className={pages.grow} title={listing.indicator}>
                <span className={classes.indicator}>{listing.indicator}</span>
              </td>
              <td>{RELATION_WORDS[listing.relation]}</td>
              <td>{typeLabel(listing.type)}</td>
              <td>
                <IntentionLabel intention={listing.intention} />
              </td>
              <td>{categoryLabel(listing.category)}</td>
              <td className={pages.text}>
                <AppLink to={`/intel${stringifySearch({ tab: "feeds", feed: listing.feed_id })}`}>{listing.feed_name}</AppLink>
                {!listing.in_use && " · not in use"}
              </td>
              <td className={pages.text} title={listing.source.url}>
                {listing.source.name || "–"}
              </td>
              <td>
                <RelativeTime time={Date.parse(listing.first_seen)} />
              </td>
              <td>
                <AppLink to={logsOf(listing.indicator)} title={`Logs with ${listing.indicator}`}>
                  Logs
                </AppLink>{" "}
                ·{" "}
                <AppLink to={signalsOf(listing.indicator)} title={`Signals with ${listing.indicator}`}>
                  Signals
                </AppLink>
              </td>
            </tr>
          ))}
        </List>
      </div>
    </>
  );
}
