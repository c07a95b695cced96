import { AbsoluteTime, RelativeTime } from "@/components/Time";
import { useZone } from "@/components/zone";
import classes from "./schedule.module.css";

/** The next times of a schedule, in the zone that all times are shown in. */
export function NextRuns({ times }: { times: readonly string[] }) {
  const { zone } = useZone();
  if (times.length === 0) return <p className={classes.dim}>It does not run again: the schedule has ended.</p>;
  return (
    <div className={classes.nextRuns}>
      <h3>Next runs, {zone === "utc" ? "UTC" : "local time"}</h3>
      <ol aria-label="Next runs">
        {times.map((at) => (
          <li key={at}>
            <AbsoluteTime time={Date.parse(at)} />
            <span className={classes.dim}>
              <RelativeTime time={Date.parse(at)} />
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
