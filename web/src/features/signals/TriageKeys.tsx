import { useQueryClient } from "@tanstack/react-query";
import { useMe } from "@/api/session";
import { signalQuery, type TriageChange } from "@/api/signals";
import type { ExploreEvent } from "@/api/types";
import type { RowKeysProps } from "@/components/explorer/Explorer";
import { useHotkeys } from "@/components/hotkeys";
import { versionOf } from "./config";
import { showTheirs, tellRefusal, useTriage } from "./useTriage";

/** `a`, `u`, `e`, `r` on the open or current signal. `e` asks for the reason in the panel. */
export function TriageKeys({ currentId, current, archive }: RowKeysProps & { archive: (id: string) => void }) {
  const client = useQueryClient();
  const me = useMe();
  const triage = useTriage({
    onRefused: (error, id) => {
      tellRefusal(error);
      showTheirs(client, id).catch(() => undefined); // the refusal is told; what cannot be read now is read when looked at
    },
  });

  /** The latest of what is in sight: the panel is read anew when it opens, its row is not. */
  const inSight = (id: string): ExploreEvent | undefined => {
    const panel = client.getQueryData(signalQuery(id).queryKey);
    return panel && (versionOf(panel) ?? 0) > ((current && versionOf(current)) ?? 0) ? panel : current;
  };
  const decide = (change: TriageChange) => {
    if (currentId !== null) triage.mutate({ id: currentId, seen: inSight(currentId), change });
  };
  const may = me.permissions.has("security_monitoring_signals_write");
  useHotkeys(
    [
      { keys: ["a"], label: "Assign to me", group: "Triage", run: () => decide({ assignee: { uuid: me.uuid } }) },
      { keys: ["u"], label: "Under review", group: "Triage", run: () => decide({ state: "under_review" }) },
      { keys: ["r"], label: "Reopen", group: "Triage", run: () => decide({ state: "open" }) },
      { keys: ["e"], label: "Archive", group: "Triage", run: () => currentId !== null && archive(currentId) },
    ],
    may,
  );
  return null;
}
