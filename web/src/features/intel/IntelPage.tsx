import { useEffect } from "react";
import { Tabs } from "@/components/Tabs";
import { FeedsTab } from "./FeedsTab";
import { IndicatorsTab } from "./IndicatorsTab";
import classes from "./intel.module.css";
import { MatchesTab } from "./MatchesTab";

export type IntelSearch = Record<string, string | undefined>;

/** What every tab gets: what the address says, and how to change it. */
export interface TabProps {
  search: IntelSearch;
  change: (next: IntelSearch) => void;
}

/** Feeds of indicators, what of them the logs hold, and where it was met. */
export function IntelPage({ search, change }: TabProps) {
  useEffect(() => {
    document.title = "Threat intelligence · Tocsin";
  }, []);
  const props = { search, change };
  return (
    <div className={classes.page}>
      <h1 className="visually-hidden">Threat intelligence</h1>
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
    </div>
  );
}
