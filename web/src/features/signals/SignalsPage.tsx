import { useState } from "react";
import { useMay } from "@/api/session";
import { Explorer } from "@/components/explorer/Explorer";
import { useExplorer, type Navigate } from "@/components/explorer/useExplorer";
import { SendFirstLog } from "@/components/SendFirstLog";
import type { ExplorerSearch } from "@/lib/urlState";
import { BulkBar } from "./BulkBar";
import { SIGNALS } from "./config";
import { SignalPanel } from "./SignalPanel";
import { TriageKeys } from "./TriageKeys";
import { useColleagues } from "./useColleagues";
import { ViewSwitch } from "./ViewSwitch";

export function SignalsPage({ search, navigate }: { search: ExplorerSearch; navigate: Navigate }) {
  const explorer = useExplorer(SIGNALS, search, navigate);
  const marked = useColleagues(explorer);
  const mayTriage = useMay("security_monitoring_signals_write");
  /** The signal whose form for archiving is open, or opens once the signal has come. */
  const [archiving, setArchiving] = useState<string | null>(null);
  return (
    <Explorer
      explorer={explorer}
      title="Signals"
      panel={(props) => <SignalPanel key={props.id} explorer={explorer} archiving={archiving === props.id} onArchiving={(on) => setArchiving(on ? props.id : null)} {...props} />}
      bulk={mayTriage ? (props) => <BulkBar explorer={explorer} {...props} /> : undefined}
      rowKeys={(props) => (
        <TriageKeys
          {...props}
          archive={(id) => {
            setArchiving(id);
            props.open(id);
          }}
        />
      )}
      views={<ViewSwitch explorer={explorer} />}
      marked={marked}
      help={<SendFirstLog noun="signals" />}
    />
  );
}
