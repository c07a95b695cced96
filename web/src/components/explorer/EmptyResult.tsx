import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { EmptyState } from "@/components/states";
import { useZone } from "@/components/zone";
import { useNow } from "@/components/useNow";
import { droppable } from "@/lib/queryText";
import { rangeLabel } from "@/lib/time";
import classes from "./Explorer.module.css";
import type { ExplorerHandle } from "./model";

const WIDER = ["now-1d", "now-7d", "now-30d", "now-365d"];

/** Nothing found: which filter to drop, how far to widen, or how to send the first event. */
export function EmptyResult({ explorer, help }: { explorer: ExplorerHandle; help: ReactNode }) {
  const { config, state, update, range } = explorer;
  const { zone } = useZone();
  const now = useNow();
  const filters = droppable(state.query);
  const span = range.to - range.from;
  const wider = WIDER.find((from) => Number(/\d+/.exec(from)?.[0]) * 86_400_000 > span * 1.5);
  return (
    <EmptyState title={`No ${config.noun} ${filters.length > 0 ? "match this search" : "in this range"} (${rangeLabel(state.range, now, zone).toLowerCase()})`}>
      {filters.length > 0 && (
        <>
          <p>Drop a filter:</p>
          <div className={classes.drops}>
            {filters.map(({ clause, without }) => (
              <Button key={clause} variant="default" onClick={() => update({ query: without })}>
                <code className="truncate">{clause}</code>
              </Button>
            ))}
          </div>
        </>
      )}
      {wider && (
        <p>
          Or look further back:{" "}
          <button type="button" className="link" onClick={() => update({ range: { from: wider, to: "now" } })}>
            {rangeLabel({ from: wider, to: "now" }, now, zone).toLowerCase()}
          </button>
        </p>
      )}
      {filters.length === 0 && help}
    </EmptyState>
  );
}
