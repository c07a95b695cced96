import { useState } from "react";
import { useMay } from "@/api/session";
import { Explorer } from "@/components/explorer/Explorer";
import { useExplorer, type Navigate } from "@/components/explorer/useExplorer";
import { SendFirstLog } from "@/components/SendFirstLog";
import type { ExplorerSearch } from "@/lib/urlState";
import { BulkBar } from "./BulkBar";
import { SIGNALS } from "./config";
import { SignalPanel } from "./SignalPanel";
import type { ArchiveDraft } from "./TriageForm";
import { TriageKeys } from "./TriageKeys";
import { useColleagues } from "./useColleagues";
import { ViewSwitch } from "./ViewSwitch";

export function SignalsPage({ search, navigate }: { search: ExplorerSearch; navigate: Navigate }) {
  const explorer = useExplorer(SIGNALS, search, navigate);
  const marked = useColleagues(explorer);
  const mayTriage = useMay("security_monitoring_signals_write");
  const [drafts, keep] = useDrafts();
  return (
    <Explorer
      explorer={explorer}
      title="Signals"
      panel={(props) => <SignalPanel key={props.id} explorer={explorer} draft={drafts.get(props.id)} onDraft={(draft) => keep(props.id, draft)} {...props} />}
      bulk={mayTriage ? (props) => <BulkBar explorer={explorer} {...props} /> : undefined}
      rowKeys={(props) => (
        <TriageKeys
          {...props}
          archive={(id) => {
            keep(id, drafts.get(id) ?? {});
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

/** Of the signals whose form for archiving is open, or opens once they have come. Whoever looks at another one meanwhile finds there again what was typed. */
function useDrafts(): [ReadonlyMap<string, ArchiveDraft>, (id: string, draft: ArchiveDraft | null) => void] {
  const [drafts, setDrafts] = useState<ReadonlyMap<string, ArchiveDraft>>(new Map());
  const keep = (id: string, draft: ArchiveDraft | null) =>
    setDrafts((now) => {
      const others = [...now].filter(([other]) => other !== id);
      return new Map(draft ? [...others.filter(([, begun]) => Object.keys(begun).length > 0), [id, draft]] : others);
    });
  return [drafts, keep];
}
