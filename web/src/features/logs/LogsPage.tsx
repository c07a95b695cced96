import { Explorer } from "@/components/explorer/Explorer";
import { useExplorer, type Navigate } from "@/components/explorer/useExplorer";
import { SendFirstLog } from "@/components/SendFirstLog";
import type { ExplorerSearch } from "@/lib/urlState";
import { LOGS } from "./config";
import { LogPanel } from "./LogPanel";

export function LogsPage({ search, navigate }: { search: ExplorerSearch; navigate: Navigate }) {
  const explorer = useExplorer(LOGS, search, navigate);
  return <Explorer explorer={explorer} title="Logs" panel={(props) => <LogPanel key={props.id} explorer={explorer} {...props} />} help={<SendFirstLog noun="logs" />} />;
}
