import { useQuery } from "@tanstack/react-query";
import { engineQuery } from "@/api/coverage";
import { Icon } from "@/components/icons";
import { AbsoluteTime } from "@/components/Time";
import { useNow } from "@/components/useNow";
import { formatDuration } from "@/lib/time";
import classes from "./coverage.module.css";

/** Whether detection is at work. Silent as long as all is well, loud as soon as it is not. */
export function EngineBanner() {
  const { data: engine, error } = useQuery(engineQuery);
  const now = useNow();
  if (error) {
    return (
      <div className={classes.banner} role="alert" data-state="unknown">
        <Icon name="alert" />
        <p>
          <strong>It is not known whether detection works.</strong> {error.message}
        </p>
      </div>
    );
  }
  if (!engine) return null;
  if (engine.status === "working") {
    return (
      <p className={classes.working} role="status">
        <span className={classes.pulse} aria-hidden="true" />
        Detection works{engine.lag_seconds !== null && <>: all that arrived until {formatDuration(engine.lag_seconds * 1000)} ago was evaluated</>}
      </p>
    );
  }
  const heard = engine.last_round_at === null ? null : Date.parse(engine.last_round_at);
  return (
    <div className={classes.banner} role="alert" data-state={engine.status}>
      <Icon name="alert" />
      <p>
        <strong>{engine.status === "stalled" ? "Detection stands still." : "Detection has not begun."}</strong>{" "}
        {heard === null ? (
          "No process has evaluated anything yet: is one with the role evaluate running?"
        ) : (
          <>
            Nothing was heard of it for {formatDuration(now - heard)}, since <AbsoluteTime time={heard} />. Logs are still stored; what arrived meanwhile is evaluated, late, as soon as it works again.
          </>
        )}
        {engine.covered_until && (
          <>
            {" "}
            Evaluated: all that arrived before <AbsoluteTime time={Date.parse(engine.covered_until)} />.
          </>
        )}
      </p>
    </div>
  );
}
