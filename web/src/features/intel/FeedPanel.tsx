import { Button, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { deleteFeed, feedIndicatorsQuery, huntsQuery, refreshFeed, type FeedItem } from "@/api/intel";
import { Fact } from "@/components/Fact";
import { Icon } from "@/components/icons";
import { Columns, More, type Column } from "@/components/List";
import pages from "@/components/Page.module.css";
import { Section } from "@/components/Section";
import { SidePanel } from "@/components/SidePanel";
import { ErrorState, SkeletonRows } from "@/components/states";
import { Tabs } from "@/components/Tabs";
import { AbsoluteTime, RelativeTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { deleteQuestion, useFeedAction } from "./FeedsTab";
import { HuntTable } from "./HuntTable";
import classes from "./intel.module.css";
import { FORMAT_WORDS, HealthLabel, IntentionLabel, intervalLabel } from "./labels";
import { UploadButton } from "./UploadButton";

const COLUMNS: Column[] = [{ label: "Indicator" }, { label: "Type" }, { label: "Category" }, { label: "Intention" }, { label: "Since" }];

interface Props {
  feed: FeedItem;
  may: boolean;
  part: string | null;
  onPart: (part: string) => void;
  /** The refresh whose indicators are shown; null: all that the feed holds. */
  refresh: string | null;
  onEdit: () => void;
  onClose: () => void;
}

/** A feed: how it is doing and why, what it holds, what was looked for in earlier logs. */
export function FeedPanel({ feed, may, part, onPart, refresh: brought, onEdit, onClose }: Props) {
  const { attributes } = feed;
  const { name, health, location, is_enabled: isEnabled } = attributes;
  const refresh = useFeedAction(name, () => refreshFeed(feed.id));
  const remove = useFeedAction(name, async () => {
    await deleteFeed(feed.id);
    onClose();
  });
  return (
    <SidePanel
      label={`Feed ${name}`}
      onClose={onClose}
      header={
        <>
          <h2 className={pages.heading}>{name}</h2>
          <div className={classes.under}>
            <HealthLabel health={health} />
            <span>{plural(health.indicators, "indicator")}</span>
          </div>
        </>
      }
    >
      <Section title="Health">
        {health.error && (
          <p className={pages.fault} role="alert">
            {health.error}
          </p>
        )}
        <dl className={pages.facts}>
          <Fact name="Last refresh">{health.refreshed_at ? <RelativeTime time={Date.parse(health.refreshed_at)} /> : "never"}</Fact>
          {health.error && health.attempted_at && (
            <Fact name="Last attempt">
              <RelativeTime time={Date.parse(health.attempted_at)} />
            </Fact>
          )}
          {isEnabled && health.next_refresh_at && (
            <Fact name="Next refresh">
              <AbsoluteTime time={Date.parse(health.next_refresh_at)} />
            </Fact>
          )}
          <Fact name="Rows left out">{formatNumber(health.skipped)}</Fact>
        </dl>
        {health.problems.length > 0 && (
          <ul className={classes.problems} aria-label="Rows that were left out">
            {health.problems.map((problem, index) => (
              <li key={index}>{problem}</li>
            ))}
            {health.skipped > health.problems.length && <li>… and {formatNumber(health.skipped - health.problems.length)} more</li>}
          </ul>
        )}
      </Section>
      {may && (
        <Section title="Actions">
          <div className={classes.buttons}>
            {location.type === "upload" && <UploadButton feed={feed} />}
            {location.type !== "upload" && isEnabled && (
              <Button variant="default" leftSection={<Icon name="refresh" size={14} />} loading={refresh.isPending} onClick={() => refresh.mutate()}>
                Refresh now
              </Button>
            )}
            <Button variant="default" onClick={onEdit}>
              Edit
            </Button>
            <Button variant="default" leftSection={<Icon name="trash" size={14} />} loading={remove.isPending} onClick={() => window.confirm(deleteQuestion(feed)) && remove.mutate()}>
              Delete
            </Button>
          </div>
        </Section>
      )}
      <Tabs
        label="Details of the feed"
        value={part}
        onChange={onPart}
        tabs={[
          { id: "settings", label: "Settings", content: <Settings feed={feed} /> },
          { id: "indicators", label: "Indicators", content: <Indicators feed={feed} brought={brought} onAll={() => onPart("indicators")} /> },
          { id: "hunts", label: "Retro-hunts", content: <Hunts feed={feed} /> },
        ]}
      />
    </SidePanel>
  );
}

function Settings({ feed }: { feed: FeedItem }) {
  const { format, location, defaults, authentication, refresh_interval: interval, retro_hunt: hunts, created_by: by, created_at: at, indicator_type: type } = feed.attributes;
  const place = location.type === "url" ? location.url : location.type === "file" ? `feeds/${location.file ?? ""} in the data directory` : "uploaded by people";
  return (
    <dl className={pages.facts}>
      <Fact name="Type">{FORMAT_WORDS[format]}</Fact>
      <Fact name="Content">
        <code>{place}</code>
      </Fact>
      {location.type !== "upload" && <Fact name="Refreshed every">{intervalLabel(interval)}</Fact>}
      {location.type === "url" && <Fact name="Authentication">{authentication.type === "none" ? "none" : `${authentication.type}${authentication.user_name ? `, user ${authentication.user_name}` : ""}${authentication.header_name ? `, header ${authentication.header_name}` : ""}${authentication.has_secret ? ", with a secret" : ""}`}</Fact>}
      {type && <Fact name="Indicators">{type}</Fact>}
      <Fact name="Unless it says so">
        {defaults.category}, {defaults.intention}
      </Fact>
      <Fact name="Retro-hunt">{hunts ? "new indicators are looked for in the last 30 days" : "off"}</Fact>
      <Fact name="Added">
        {by}, <RelativeTime time={Date.parse(at)} />
      </Fact>
    </dl>
  );
}

function Indicators({ feed, brought, onAll }: { feed: FeedItem; brought: string | null; onAll: () => void }) {
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search.trim(), 200);
  const list = useInfiniteQuery(feedIndicatorsQuery(feed.id, feed.attributes.version, settled, brought ?? ""));
  const total = list.data?.pages[0]?.meta.page.total_count ?? 0;
  return (
    <div className={classes.inPanel}>
      <div className={classes.tools}>
        <TextInput size="xs" className={pages.search} aria-label="Search the indicators of the feed" placeholder="A part of the indicator or its category" value={search} onChange={(event) => setSearch(event.currentTarget.value)} />
        <span className={pages.dim}>{list.data && plural(total, "indicator")}</span>
      </div>
      {brought && (
        <p className={pages.dim}>
          Those that came new with the refresh of <AbsoluteTime time={Date.parse(brought)} />.{" "}
          <button type="button" className="link" onClick={onAll}>
            Show all
          </button>
        </p>
      )}
      {list.error && <ErrorState inline error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <SkeletonRows rows={6} />}
      {list.data && total === 0 && <p className={pages.dim}>{settled ? "No indicator contains this." : "The feed holds no indicator yet."}</p>}
      {total > 0 && (
        <table className={pages.table}>
          <Columns columns={COLUMNS} />
          <tbody>
            {list.data?.pages
              .flatMap((page) => page.data)
              .map(({ id, attributes }) => (
                <tr key={id}>
                  <td className={pages.grow} title={attributes.indicator}>
                    <span className={classes.indicator}>{attributes.indicator}</span>
                  </td>
                  <td>{attributes.type}</td>
                  <td>{attributes.category}</td>
                  <td>
                    <IntentionLabel intention={attributes.intention} />
                  </td>
                  <td>
                    <RelativeTime time={Date.parse(attributes.first_seen)} />
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      )}
      <More query={list} />
    </div>
  );
}

function Hunts({ feed }: { feed: FeedItem }) {
  const hunts = useQuery(huntsQuery(feed.id));
  if (hunts.isPending) return <SkeletonRows rows={3} />;
  if (!hunts.data) return <ErrorState error={hunts.error} retry={() => void hunts.refetch()} />;
  if (hunts.data.length === 0) {
    return <p className={pages.dim}>{feed.attributes.retro_hunt ? "No hunt yet: one begins a minute after the feed brings an indicator that it did not have." : "Retro-hunt is off for this feed: new indicators are looked for in new logs only."}</p>;
  }
  return <HuntTable hunts={hunts.data} feedName={null} />;
}
