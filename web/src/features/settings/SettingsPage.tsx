import { AppLink } from "@/components/AppLink";
import { EmptyState } from "@/components/states";
import { useTitle } from "@/components/useTitle";
import { CriticalAssets } from "./CriticalAssets";
import { Keys } from "./Keys";
import { People } from "./People";
import classes from "./settings.module.css";
import { Status } from "./Status";

const SECTIONS = [
  { id: "people", label: "People", content: People },
  { id: "keys", label: "Keys", content: Keys },
  { id: "critical-assets", label: "Critical assets", content: CriticalAssets },
  { id: "status", label: "Status", content: Status },
] as const;

export function SettingsPage({ section }: { section: string }) {
  const chosen = SECTIONS.find((each) => each.id === section);
  useTitle(`${chosen?.label ?? "Settings"} · Settings`);
  return (
    <div className={classes.page}>
      <nav className={classes.nav} aria-label="Settings">
        <p className={classes.navTitle}>Settings</p>
        {SECTIONS.map((each) => (
          <div key={each.id} data-active={each.id === section || undefined} className={classes.navItem}>
            <AppLink to={`/settings/${each.id}`}>{each.label}</AppLink>
          </div>
        ))}
      </nav>
      <div className={classes.content}>{chosen ? <chosen.content /> : <NoSuchSection />}</div>
    </div>
  );
}

function NoSuchSection() {
  return (
    <>
      <h1 className="visually-hidden">Settings</h1>
      <EmptyState title="There is no such page in the settings">
        <p>Those that there are stand on the left.</p>
      </EmptyState>
    </>
  );
}
