import { AppLink } from "@/components/AppLink";
import type { ExplorerHandle } from "@/components/explorer/model";
import { stringifySearch } from "@/lib/urlState";
import classes from "./signals.module.css";

const VIEWS = [
  { track: "signals", path: "/signals", label: "Signals" },
  { track: "suppressed", path: "/signals/suppressed", label: "Suppressed" },
] as const;

/** What is shown, and what suppressions hide; the search stays. */
export function ViewSwitch({ explorer: { config, state } }: { explorer: ExplorerHandle }) {
  const own = state.range.from !== config.defaults.range.from || state.range.to !== config.defaults.range.to;
  const search = stringifySearch({ query: state.query, ...(own ? state.range : {}) });
  return (
    <nav aria-label="View" className={classes.views}>
      {VIEWS.map(({ track, path, label }) => (
        <AppLink key={track} to={`${path}${search}`} className={classes.view} current={track === config.track}>
          {label}
        </AppLink>
      ))}
    </nav>
  );
}
