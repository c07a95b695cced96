import { AppLink } from "@/components/AppLink";
import { Explorer } from "@/components/explorer/Explorer";
import { useExplorer, type Navigate } from "@/components/explorer/useExplorer";
import type { ExplorerSearch } from "@/lib/urlState";
import { SUPPRESSED } from "./config";
import { HiddenSignalPanel } from "./SignalPanel";
import { ViewSwitch } from "./ViewSwitch";

/** What suppressions hide: searched like signals, read only. */
export function HiddenSignalsPage({ search, navigate }: { search: ExplorerSearch; navigate: Navigate }) {
  const explorer = useExplorer(SUPPRESSED, search, navigate);
  return (
    <Explorer
      explorer={explorer}
      title="Suppressed signals"
      panel={(props) => <HiddenSignalPanel key={props.id} explorer={explorer} {...props} />}
      views={<ViewSwitch explorer={explorer} />}
      help={
        <p>
          Nothing has been hidden. <AppLink to="/suppressions">Suppressions</AppLink> say what to hide.
        </p>
      }
    />
  );
}
