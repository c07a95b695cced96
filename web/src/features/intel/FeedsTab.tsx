import { ActionIcon, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { deleteFeed, feedsQuery, intelKeys, refreshFeed, setFeedEnabled, type FeedItem } from "@/api/intel";
import { useMay } from "@/api/session";
import { AddButton } from "@/components/AddButton";
import { Icon } from "@/components/icons";
import { List, type Column } from "@/components/List";
import { MoreItem, MoreMenu } from "@/components/MoreMenu";
import { NotTherePanel } from "@/components/NotThere";
import pages from "@/components/Page.module.css";
import { EmptyState } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { Toggle } from "@/components/Toggle";
import { useAction } from "@/components/useAction";
import { formatNumber, plural } from "@/lib/format";
import { FeedForm } from "./FeedForm";
import { FeedPanel } from "./FeedPanel";
import type { TabProps } from "./IntelPage";
import classes from "./intel.module.css";
import { FORMAT_WORDS, HealthLabel } from "./labels";
import { UploadButton } from "./UploadButton";

export const WRITE = "reference_tables_write";
const COLUMNS: Column[] = [
  { label: "On" },
  { label: "Feed" },
  { label: "Type" },
  { label: "Indicators", isNumber: true },
  { label: "Health" },
  { label: "Last refresh" },
  { label: "Next" },
  { label: "Actions", isHidden: true },
];

/** Where indicators come from, and how each source is doing. */
export function FeedsTab({ search, change }: TabProps) {
  const feeds = useQuery(feedsQuery);
  const may = useMay(WRITE);
  const [editing, setEditing] = useState<FeedItem | "new" | null>(null);
  const open = feeds.data?.find((feed) => feed.id === search.feed);
  const show = (id: string, part = "") => change({ feed: id, part, refresh: "" });
  return (
    <>
      <div className={pages.bar}>
        <span className={pages.dim}>{feeds.data && summary(feeds.data)}</span>
        <div className={pages.end}>
          <AddButton permission={WRITE} label="Add a feed" onClick={() => setEditing("new")} />
        </div>
      </div>
      <div className={pages.split}>
        <List query={feeds} count={feeds.data?.length ?? 0} columns={COLUMNS} empty={<NoFeeds />}>
          {feeds.data?.map((feed) => (
            <FeedRow key={feed.id} feed={feed} may={may} chosen={feed.id === search.feed} onOpen={(part) => show(feed.id, part)} onEdit={() => setEditing(feed)} />
          ))}
        </List>
        {!open && search.feed && feeds.data && !feeds.isFetching && <NotTherePanel noun="feed" onClose={() => change({ feed: "", part: "", refresh: "" })} />}
        {open && <FeedPanel key={open.id} feed={open} may={may} part={search.part ?? null} onPart={(part) => show(open.id, part)} onEdit={() => setEditing(open)} refresh={search.refresh ?? null} onClose={() => change({ feed: "", part: "", refresh: "" })} />}
      </div>
      {editing && <FeedForm feed={editing === "new" ? null : editing} onClose={() => setEditing(null)} onSaved={(feed) => show(feed.id)} />}
    </>
  );
}

function NoFeeds() {
  return (
    <EmptyState title="No feeds yet">
      <p>A feed is a list of addresses, domains, hashes or other indicators. Every log is compared with all feeds before the rules see it, so that a rule can ask for @threat_intel.results.category:c2.</p>
      <p>A feed is uploaded, or fetched from a URL on a schedule: CSV or plain lists, STIX 2.1, MISP, TAXII 2.1.</p>
    </EmptyState>
  );
}

function summary(feeds: FeedItem[]): string {
  const indicators = feeds.filter((feed) => feed.attributes.is_enabled).reduce((sum, feed) => sum + feed.attributes.health.indicators, 0);
  const failing = feeds.filter((feed) => feed.attributes.health.status === "failing" || feed.attributes.health.status === "stale").length;
  return `${plural(feeds.length, "feed")}, ${plural(indicators, "indicator")} in use${failing > 0 ? `, ${String(failing)} in trouble` : ""}`;
}

interface RowProps {
  feed: FeedItem;
  may: boolean;
  chosen: boolean;
  onOpen: (part?: string) => void;
  onEdit: () => void;
}

function FeedRow({ feed, may, chosen, onOpen, onEdit }: RowProps) {
  const { name, format, location, health, is_enabled: isEnabled } = feed.attributes;
  const toggle = useFeedAction(name, (on: boolean) => setFeedEnabled(feed.id, on));
  const enabled = toggle.isPending ? toggle.variables : isEnabled;
  return (
    <tr data-off={!enabled || undefined} data-chosen={chosen || undefined}>
      <td>
        <Toggle name={name} enabled={enabled} may={may} permission={WRITE} isPending={toggle.isPending} onChange={(on) => toggle.mutate(on)} disable="Disable: it enriches no more logs" />
      </td>
      <td className={pages.text}>
        <button type="button" className="link" onClick={() => onOpen()}>
          {name}
        </button>
      </td>
      <td>
        {FORMAT_WORDS[format]}
        <span className={pages.dim}> · {location.type === "upload" ? "uploaded" : location.type === "file" ? "file" : "URL"}</span>
      </td>
      <td className={pages.number}>
        <button type="button" className="link" aria-label={`${formatNumber(health.indicators)} indicators of ${name}`} onClick={() => onOpen("indicators")}>
          {formatNumber(health.indicators)}
        </button>
      </td>
      <td className={pages.grow}>
        <HealthLabel health={health} />{" "}
        {health.error ? (
          <button type="button" className={`link ${classes.error ?? ""}`} title={health.error} onClick={() => onOpen()}>
            {health.error}
          </button>
        ) : (
          health.skipped > 0 && (
            <button type="button" className={`link ${pages.dim ?? ""}`} onClick={() => onOpen()}>
              {plural(health.skipped, "row")} left out
            </button>
          )
        )}
      </td>
      <td>{health.refreshed_at ? <RelativeTime time={Date.parse(health.refreshed_at)} /> : "never"}</td>
      <td>{isEnabled && health.next_refresh_at ? <NextTime time={Date.parse(health.next_refresh_at)} /> : "–"}</td>
      <td className={pages.actions}>{may && <FeedMenu feed={feed} onEdit={onEdit} />}</td>
    </tr>
  );
}

function NextTime({ time }: { time: number }) {
  const [now] = useState(() => Date.now());
  return time <= now ? <span>due now</span> : <RelativeTime time={time} />;
}

function FeedMenu({ feed, onEdit }: { feed: FeedItem; onEdit: () => void }) {
  const { name, location, is_enabled: isEnabled } = feed.attributes;
  const refresh = useFeedAction(name, () => refreshFeed(feed.id));
  const remove = useFeedAction(name, () => deleteFeed(feed.id));
  const isFetched = location.type !== "upload";
  return (
    <span className={classes.mark}>
      {isFetched && isEnabled && (
        <Tooltip label="Refresh now">
          <ActionIcon aria-label={`Refresh ${name} now`} loading={refresh.isPending} onClick={() => refresh.mutate()}>
            <Icon name="refresh" />
          </ActionIcon>
        </Tooltip>
      )}
      {!isFetched && <UploadButton feed={feed} compact />}
      <MoreMenu label={`More for ${name}`}>
        <MoreItem icon="settings" onClick={onEdit}>
          Edit
        </MoreItem>
        <MoreItem icon="trash" onClick={() => window.confirm(deleteQuestion(feed)) && remove.mutate()}>
          Delete
        </MoreItem>
      </MoreMenu>
    </span>
  );
}

export const deleteQuestion = (feed: FeedItem): string => `Delete the feed “${feed.attributes.name}” with its ${plural(feed.attributes.health.indicators, "indicator")}? What stored logs say of them stays.`;

/** Changes a feed. */
export const useFeedAction = <T = void>(name: string, act: (argument: T) => Promise<unknown>) => useAction(intelKeys.feeds, name, act);
