import { useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useMe } from "@/api/session";
import { changeSignal, changeSignals, signalQuery, type TriageChange } from "@/api/signals";
import type { ExploreEvent, TriageResult } from "@/api/types";
import type { RowKeysProps } from "@/components/explorer/Explorer";
import { useHotkeys } from "@/components/hotkeys";
import { tell, tellFailure } from "@/components/telling";
import { plural } from "@/lib/format";
import { stateOf, versionOf } from "./config";
import { refreshCounts, showDecisions, tellRefusal } from "./useTriage";

/** `a`, `u`, `e`, `r` on the ticked rows, or else the open or current one. `e` asks for the reason in the panel. */
export function TriageKeys({ currentId, current, ticked, openId, archive }: RowKeysProps & { openId: string | null; archive: (id: string) => void }) {
  const client = useQueryClient();
  const me = useMe();
  const changes = useRef<Promise<void>>(Promise.resolve());
  const left = useRef(new Map<string, Partial<TriageResult>>());

  /** What our own last change left counts, even where the list had not heard of it when the key was pressed. */
  const present = (event: ExploreEvent): { state?: string; version?: number } => {
    const own = left.current.get(event.id);
    const version = versionOf(event);
    return own && (own.version ?? 0) > (version ?? 0) ? own : { state: stateOf(event), version };
  };

  /** Keys may be pressed faster than the server answers: one change after the other, each on the version before it. */
  const queue = (change: TriageChange) => {
    if (ticked.length === 0 && currentId === null) return;
    changes.current = changes.current.then(() => apply(change)).catch(tellRefusal);
  };

  /** A link may open one that the list has not got yet, or does not find. */
  const targets = async () => (ticked.length > 0 ? ticked : current ? [current] : currentId !== null ? [await client.fetchQuery(signalQuery(currentId))] : []);

  const apply = async (change: TriageChange) => {
    const events = (await targets()).filter((event) => change.state === undefined || present(event).state !== change.state);
    const [only] = events;
    if (!only) return;
    if (events.length === 1) {
      try {
        const result = await changeSignal(only.id, { ...change, version: present(only).version });
        left.current.set(only.id, result);
        showDecisions(client, new Map([[only.id, result]]));
      } catch (error) {
        tellRefusal(error);
      }
    } else {
      const outcome = await changeSignals(events.map((event) => ({ id: event.id, change: { ...change, version: present(event).version } })), () => undefined);
      const decision = { state: change.state, assignee: change.assignee ? { ...me, id: 0, name: me.name } : undefined };
      showDecisions(client, new Map(outcome.done.map((id) => [id, decision])));
      const done = `${plural(outcome.done.length, "signal")} changed`;
      if (outcome.failed.length > 0) tellFailure(done, `${plural(outcome.failed.length, "signal")} refused: ${outcome.failed[0]?.reason ?? ""}`);
      else tell(done);
    }
    refreshCounts(client);
  };
  const may = me.permissions.has("security_monitoring_signals_write");
  useHotkeys(
    [
      { keys: ["a"], label: "Assign to me", group: "Triage", run: () => queue({ assignee: { uuid: me.uuid } }) },
      { keys: ["u"], label: "Under review", group: "Triage", run: () => queue({ state: "under_review" }) },
      { keys: ["r"], label: "Reopen", group: "Triage", run: () => queue({ state: "open" }) },
    ],
    may,
  );
  useHotkeys([{ keys: ["e"], label: "Archive", group: "Triage", run: () => currentId !== null && archive(currentId) }], may && openId === null && ticked.length === 0);
  return null;
}
