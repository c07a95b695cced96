import { useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useMe } from "@/api/session";
import { changeSignal, changeSignals, type TriageChange } from "@/api/signals";
import type { ExploreEvent } from "@/api/types";
import { useHotkeys } from "@/components/hotkeys";
import { tell, tellFailure } from "@/components/telling";
import { plural } from "@/lib/format";
import { stateOf, versionOf } from "./config";
import { refreshCounts, showDecision, tellRefusal } from "./useTriage";

/** `a`, `u`, `e`, `r` on the ticked rows, or else the current one. `e` asks for the reason in the panel. */
export function TriageKeys({ current, ticked, openId, archive }: { current: ExploreEvent | undefined; ticked: ExploreEvent[]; openId: string | null; archive: (id: string) => void }) {
  const client = useQueryClient();
  const me = useMe();
  const targets = ticked.length > 0 ? ticked : current ? [current] : [];
  const changes = useRef<Promise<void>>(Promise.resolve());
  const versions = useRef(new Map<string, number>());

  // What our own last change left counts, even where the list has not heard of it yet.
  const newest = (event: ExploreEvent) => Math.max(versions.current.get(event.id) ?? 0, versionOf(event) ?? 0) || undefined;

  /** Keys may be pressed faster than the server answers: one change after the other, each on the version before it. */
  const queue = (change: TriageChange, wanted: (event: ExploreEvent) => boolean) => {
    changes.current = changes.current.then(() => apply(change, wanted)).catch(tellRefusal);
  };

  const apply = async (change: TriageChange, wanted: (event: ExploreEvent) => boolean) => {
    const events = targets.filter(wanted);
    const [only] = events;
    if (!only) return;
    if (events.length === 1) {
      try {
        const result = await changeSignal(only.id, { ...change, version: newest(only) });
        if (result.version) versions.current.set(only.id, result.version);
        showDecision(client, only.id, result);
      } catch (error) {
        tellRefusal(error);
      }
    } else {
      const outcome = await changeSignals(events.map((event) => ({ id: event.id, change: { ...change, version: newest(event) } })), () => undefined);
      for (const id of outcome.done) showDecision(client, id, { state: change.state, assignee: change.assignee ? { ...me, id: 0, name: me.name } : undefined });
      const done = `${plural(outcome.done.length, "signal")} changed`;
      if (outcome.failed.length > 0) tellFailure(done, `${plural(outcome.failed.length, "signal")} refused: ${outcome.failed[0]?.reason ?? ""}`);
      else tell(done);
    }
    for (const event of events) void client.invalidateQueries({ queryKey: ["signal-history", event.id] });
    refreshCounts(client);
  };
  const may = me.permissions.has("security_monitoring_signals_write");
  useHotkeys(
    [
      { keys: ["a"], label: "Assign to me", group: "Triage", run: () => queue({ assignee: { uuid: me.uuid } }, () => true) },
      { keys: ["u"], label: "Under review", group: "Triage", run: () => queue({ state: "under_review" }, (event) => stateOf(event) !== "under_review") },
      { keys: ["r"], label: "Reopen", group: "Triage", run: () => queue({ state: "open" }, (event) => stateOf(event) !== "open") },
    ],
    may,
  );
  useHotkeys([{ keys: ["e"], label: "Archive", group: "Triage", run: () => current && archive(current.id) }], may && openId === null && ticked.length === 0);
  return null;
}
