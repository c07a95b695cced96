import { useMay } from "@/api/session";
import { PageBar } from "@/components/PageBar";
import { SearchField } from "@/components/SearchField";
import { Tabs } from "@/components/Tabs";
import { FeedsTab } from "./FeedsTab";
import { IndicatorsTab } from "./IndicatorsTab";
import classes from "./intel.module.css";
import { Lookup } from "./Lookup";
import { MatchesTab } from "./MatchesTab";

const LOOK_UP = { keys: ["l"], label: "Look an indicator up" };

export type IntelSearch = Record<string, string | undefined>;

/** What every tab gets: what the address says, and how to change it. */
export interface TabProps {
  search: IntelSearch;
  change: (next: IntelSearch | ((current: IntelSearch) => IntelSearch)) => void;
}

/** Feeds of indicators, what of them the logs hold, and where it was met; and what they say of any value. */
export function IntelPage({ search, change }: TabProps) {
  const mayLookUp = useMay("reference_tables_read");
  const { lookup = "" } = search;
  const props = { search, change };
  return (
    <div className={classes.page}>
      <PageBar title="Threat intelligence">
        {mayLookUp && <SearchField isQuery hotkey={LOOK_UP} label="Look an indicator up" placeholder="Look up in all feeds: address, network, domain, URL, e-mail, hash" value={lookup} onSearch={(next) => change({ lookup: next })} />}
      </PageBar>
      {lookup ? (
        <Lookup value={lookup} onClose={() => change({ lookup: "" })} />
      ) : (
        <Tabs
          label="Threat intelligence"
          value={search.tab ?? null}
          // What is chosen in one tab means nothing in another.
          onChange={(tab) => change({ ...Object.fromEntries(Object.keys(search).map((name) => [name, ""])), tab })}
          tabs={[
            { id: "feeds", label: "Feeds", content: <FeedsTab {...props} /> },
            { id: "indicators", label: "Indicators", content: <IndicatorsTab {...props} /> },
            { id: "matches", label: "Matches", content: <MatchesTab {...props} /> },
          ]}
        />
      )}
    </div>
  );
}
