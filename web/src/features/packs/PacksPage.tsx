import { useQuery } from "@tanstack/react-query";
import { packsQuery, type Pack } from "@/api/packs";
import { AppLink } from "@/components/AppLink";
import { List, NothingFound, type Column } from "@/components/List";
import { ListPage } from "@/components/ListPage";
import { NotTherePanel } from "@/components/NotThere";
import page from "@/components/Page.module.css";
import { RelativeTime } from "@/components/Time";
import { formatNumber } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";
import { logsOf, rulesOf, shown, signalsOf, summary } from "./model";
import { PackPanel } from "./PackPanel";
import classes from "./packs.module.css";
import { PackState } from "./PackState";

const COLUMNS: Column[] = [{ label: "Pack", className: classes.name }, { label: "State" }, { label: "Last log" }, { label: "Logs, 72 h", isNumber: true }, { label: "Rules on", isNumber: true }, { label: "Signals, 7 d", isNumber: true }, { label: "Sample logs", className: classes.samples }];

interface Props {
  search: Record<string, string | undefined>;
  change: (change: Record<string, string | undefined>, options?: { push?: boolean }) => void;
}

/** What Tocsin knows how to watch: which of it is connected, which is not, and what is broken (siem.md §1.16). */
export function PacksPage({ search, change }: Props) {
  const packs = useQuery(packsQuery);
  const { query = "", pack: open } = search;
  const found = shown(packs.data ?? [], query);
  const chosen = packs.data?.find(({ id }) => id === open);
  const close = () => {
    const row = document.querySelector<HTMLElement>(`[data-pack="${CSS.escape(open ?? "")}"] a`);
    change({ pack: undefined });
    row?.focus();
  };
  return (
    <ListPage
      title="Content packs"
      search={{ label: "Search content packs", placeholder: "Search by name, source or state", value: query, onSearch: (next) => change({ query: next }) }}
      about={packs.data && summary(packs.data)}
      panel={chosen ? <PackPanel key={chosen.id} pack={chosen} onClose={close} /> : open && packs.data && <NotTherePanel noun="content pack" onClose={close} />}
    >
      <List className={classes.list} query={packs} count={found.length} columns={COLUMNS} empty={<NothingFound title="No pack is found by this" all="Show all packs" onAll={() => change({ query: undefined })} />}>
        {found.map((pack) => (
          <Row key={pack.id} pack={pack} chosen={pack.id === open} address={`/packs${stringifySearch({ ...search, pack: pack.id })}`} />
        ))}
      </List>
    </ListPage>
  );
}

function Row({ pack, chosen, address }: { pack: Pack; chosen: boolean; address: string }) {
  const { name, about, data_last_seen_at: last, logs, rules, signals, sample_logs: samples } = pack.attributes;
  return (
    <tr data-pack={pack.id} data-chosen={chosen || undefined}>
      <td className={`${page.grow} ${classes.name}`} title={about}>
        <AppLink to={address}>{name}</AppLink> <span className={`${page.dim} ${classes.about}`}>{about}</span>
      </td>
      <td>
        <PackState pack={pack} />
      </td>
      <td>{last ? <RelativeTime time={Date.parse(last)} /> : <span className={page.dim}>never</span>}</td>
      <td className={page.number}>
        <AppLink to={logsOf(pack)} label={`${formatNumber(logs.count)} logs of ${name}`} className={logs.count ? undefined : classes.none}>
          {formatNumber(logs.count)}
        </AppLink>
      </td>
      <td className={page.number}>
        <AppLink to={rulesOf(pack)} label={`${String(rules.enabled)} of ${String(rules.total)} rules of ${name} are on`}>
          {rules.enabled} of {rules.total}
        </AppLink>
      </td>
      <td className={page.number}>
        <AppLink to={signalsOf(pack)} label={`${formatNumber(signals.count)} signals of ${name}`} className={signals.count ? undefined : classes.none}>
          {formatNumber(signals.count)}
        </AppLink>
      </td>
      <td className={`${page.dim} ${classes.samples}`}>
        {samples.expires_at ? (
          <>
            end <RelativeTime time={Date.parse(samples.expires_at)} />
          </>
        ) : (
          "–"
        )}
      </td>
    </tr>
  );
}
