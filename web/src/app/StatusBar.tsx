import { useQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { connectionIsLost, whenConnectionChanges } from "@/api/connection";
import { engineQuery } from "@/api/coverage";
import { useMay } from "@/api/session";
import { intakeStatusQuery } from "@/api/status";
import { AppLink } from "@/components/AppLink";
import { useNow } from "@/components/useNow";
import { useZone } from "@/components/zone";
import { formatNumber } from "@/lib/format";
import { formatClock } from "@/lib/time";
import { Away } from "./Away";
import classes from "./StatusBar.module.css";

/** Nothing disappears silently: what was accepted was stored or rejected, and it shows. */
export function StatusBar() {
  const { data, error } = useQuery(intakeStatusQuery);
  const { zone, setZone } = useZone();
  const now = useNow();
  const counts = data?.since_start;
  const isLost = useSyncExternalStore(whenConnectionChanges, connectionIsLost);
  return (
    <footer className={classes.bar} aria-label="Status" data-lost={isLost || undefined}>
      {isLost ? (
        <Away />
      ) : (
        <>
          {counts && (
            <span title="Logs since the server started">
              <AppLink to="/settings/status">{formatNumber(counts.accepted)} accepted</AppLink> = <AppLink to="/logs">{formatNumber(counts.stored)} stored</AppLink> +{" "}
              <AppLink to="/settings/status#rejected">{formatNumber(counts.rejected)} rejected</AppLink>
            </span>
          )}
          <EngineNotice />
          {error && !data && <span>Intake status unknown</span>}
        </>
      )}
      <button type="button" className={classes.zone} onClick={() => setZone(zone === "utc" ? "local" : "utc")} title={zone === "utc" ? "Show times in your zone" : "Show times in UTC"}>
        {formatClock(now, zone)} {zone === "utc" ? "UTC" : localName()}
        <span className="visually-hidden">: {zone === "utc" ? "show times in your zone" : "show times in UTC"}</span>
      </button>
    </footer>
  );
}

/** On every page, as soon as detection stands still. */
function EngineNotice() {
  const may = useMay("security_monitoring_rules_read");
  const { data } = useQuery({ ...engineQuery, enabled: may });
  if (!data || data.status === "working") return null;
  return (
    <span className={classes.fault} role="alert">
      <AppLink to="/coverage">{data.status === "stalled" ? "Detection stands still" : "Detection has not begun"}</AppLink>
    </span>
  );
}

function localName(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "local";
}
