import { Button, Menu, Modal, Progress, Select, Textarea } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { eventsPage } from "@/api/explore";
import { usersQuery } from "@/api/people";
import { useMe } from "@/api/session";
import { changeSignals, type BulkOutcome, type TriageChange } from "@/api/signals";
import type { ExploreEvent } from "@/api/types";
import type { BulkProps } from "@/components/explorer/Explorer";
import type { ExplorerHandle } from "@/components/explorer/model";
import { useHotkeys } from "@/components/hotkeys";
import { Icon } from "@/components/icons";
import { formatNumber, plural } from "@/lib/format";
import { countSelected, EVERYTHING, isSelected, NOTHING, type Selection } from "@/lib/selection";
import { ARCHIVE_REASONS, STATE_WORDS, type ArchiveReason, type TriageState } from "@/lib/severity";
import { assigneeOf, custom, stateOf, titleOf, versionOf } from "./config";
import classes from "./signals.module.css";
import { refreshCounts, showDecisions } from "./useTriage";

const REASONS = Object.entries(ARCHIVE_REASONS).map(([value, label]) => ({ value, label }));
const PAGE = 1000;

interface Job {
  label: string;
  total: number;
  done: number;
  outcome: BulkOutcome | null;
  /** What every changed signal was before, for undo. */
  undo: { id: string; change: TriageChange }[];
}

/** For those who may triage, with the first tick: state and assignee for all of them, progress, and an outcome for each. */
export function BulkBar({ explorer, selection, total, loaded, select }: BulkProps & { explorer: ExplorerHandle }) {
  const client = useQueryClient();
  const me = useMe();
  const users = useQuery(usersQuery());
  const [job, setJob] = useState<Job | null>(null);
  const [archiving, setArchiving] = useState(false);
  const count = countSelected(selection, total);
  const running = job !== null && job.outcome === null;
  const ticked = loaded.filter((event) => isSelected(selection, event.id));
  // What changes nothing is not offered, as far as the loaded rows tell.
  const changes = (state: TriageState) => selection.kind === "query" || ticked.some((event) => stateOf(event) !== state);

  const run = async (label: string, change: TriageChange) => {
    setArchiving(false);
    setJob({ label, total: count, done: 0, outcome: null, undo: [] });
    const events = await collect(explorer, selection, loaded);
    const outcome = await changeSignals(
      events.map((event) => ({ id: event.id, change: { ...change, version: versionOf(event) } })),
      (done) => setJob((current) => current && { ...current, total: events.length, done }),
    );
    finish(label, events, outcome, change);
  };
  const finish = (label: string, events: ExploreEvent[], outcome: BulkOutcome, change: TriageChange | null) => {
    const done = new Set(outcome.done);
    const changed = events.filter((event) => done.has(event.id));
    if (change) {
      const person = change.assignee && (change.assignee.uuid === me.uuid ? { ...me, id: 0 } : people.find((each) => each.uuid === change.assignee?.uuid));
      const decision = { state: change.state, assignee: change.assignee && (person ?? { uuid: "", handle: "", name: "Unassigned", id: -1 }), archive_reason: change.archive_reason, archive_comment: change.archive_comment };
      showDecisions(client, new Map(changed.map((event) => [event.id, decision])));
    }
    refreshCounts(client);
    setJob({ label, total: events.length, done: events.length, outcome, undo: change ? changed.map((event) => ({ id: event.id, change: before(event, change) })) : [] });
  };
  const undo = async () => {
    if (!job) return;
    const steps = job.undo;
    setJob({ label: "Undo", total: steps.length, done: 0, outcome: null, undo: [] });
    const outcome = await changeSignals(steps, (done) => setJob((current) => current && { ...current, done }));
    const undone = new Set(outcome.done);
    showDecisions(client, new Map(steps.filter(({ id }) => undone.has(id)).map(({ id, change }) => [id, { state: change.state, archive_reason: change.archive_reason }])));
    setJob({ label: "Undone", total: steps.length, done: steps.length, outcome, undo: [] });
    explorer.refresh();
  };

  const people = (users.data?.data ?? []).filter((user) => !user.attributes.disabled).map((user) => ({ uuid: user.id, name: user.attributes.name ?? user.attributes.handle, handle: user.attributes.handle, id: 0 }));
  const unlisted = (users.data?.meta.page.total_filtered_count ?? 0) - (users.data?.data.length ?? 0);
  useHotkeys([{ keys: ["e"], label: "Archive the ticked signals", group: "Triage", run: () => setArchiving(true) }], !running);

  return (
    <div className={classes.bulk} role="region" aria-label="Ticked signals">
      <strong>{plural(count, "signal")} ticked</strong>
      {selection.kind === "rows" && count < total && (
        <button type="button" className="link" onClick={() => select(EVERYTHING)}>
          select all {formatNumber(total)}
        </button>
      )}
      <span className={classes.dim}>live updates wait</span>
      <div className={classes.bulkActions}>
        {changes("under_review") && (
          <Button variant="default" disabled={running} onClick={() => void run("Moved under review", { state: "under_review" })}>
            {STATE_WORDS.under_review}
          </Button>
        )}
        {changes("archived") && (
          <Button variant="default" disabled={running} onClick={() => setArchiving(true)}>
            Archive…
          </Button>
        )}
        {changes("open") && (
          <Button variant="default" disabled={running} onClick={() => void run("Reopened", { state: "open" })}>
            Reopen
          </Button>
        )}
        <Menu position="top-end">
          <Menu.Target>
            <Button variant="default" disabled={running} rightSection={<Icon name="chevronDown" size={11} />}>
              Assign
            </Button>
          </Menu.Target>
          <Menu.Dropdown mah={320} style={{ overflowY: "auto" }}>
            <Menu.Item onClick={() => void run("Assigned to you", { assignee: { uuid: me.uuid } })}>Me</Menu.Item>
            {people
              .filter((person) => person.uuid !== me.uuid)
              .map((person) => (
                <Menu.Item key={person.uuid} onClick={() => void run(`Assigned to ${person.name}`, { assignee: { uuid: person.uuid } })}>
                  {person.name}
                </Menu.Item>
              ))}
            <Menu.Item onClick={() => void run("Unassigned", { assignee: { uuid: "" } })}>Nobody</Menu.Item>
            {unlisted > 0 && <Menu.Label>{plural(unlisted, "person is", "people are")} not listed here: a signal's own assignee can be searched</Menu.Label>}
          </Menu.Dropdown>
        </Menu>
        <Button variant="subtle" color="gray" disabled={running} onClick={() => select(NOTHING)}>
          Clear
        </Button>
      </div>
      {job && <Outcome job={job} loaded={loaded} onUndo={() => void undo()} onDismiss={() => setJob(null)} />}
      <ArchiveMany opened={archiving} count={count} onClose={() => setArchiving(false)} onSubmit={(given) => void run("Archived", { state: "archived", ...given })} />
    </div>
  );
}

function Outcome({ job, loaded, onUndo, onDismiss }: { job: Job; loaded: ExploreEvent[]; onUndo: () => void; onDismiss: () => void }) {
  const { outcome } = job;
  if (!outcome) {
    return (
      <div className={classes.outcome} role="status">
        <span>
          {formatNumber(job.done)} of {formatNumber(job.total)}
        </span>
        <Progress value={(job.done / Math.max(1, job.total)) * 100} size="sm" style={{ flex: 1 }} aria-label="Progress" />
      </div>
    );
  }
  return (
    <div className={classes.outcome} role="status">
      <span>
        {job.label}: {plural(outcome.done.length, "signal")}
        {outcome.failed.length > 0 && `, ${plural(outcome.failed.length, "signal")} refused`}
      </span>
      {outcome.failed.length > 0 && (
        <ul className={classes.failures}>
          {outcome.failed.slice(0, 50).map(({ id, reason }) => {
            const event = loaded.find((each) => each.id === id);
            return (
              <li key={id}>
                {event ? titleOf(event) : id}: {reason}
              </li>
            );
          })}
        </ul>
      )}
      {job.undo.length > 0 && (
        <button type="button" className="link" onClick={onUndo}>
          Undo
        </button>
      )}
      <button type="button" className="link" onClick={onDismiss}>
        Dismiss
      </button>
    </div>
  );
}

function ArchiveMany({ opened, count, onClose, onSubmit }: { opened: boolean; count: number; onClose: () => void; onSubmit: (given: { archive_reason: ArchiveReason; archive_comment: string }) => void }) {
  const [reason, setReason] = useState<ArchiveReason>("none");
  const [comment, setComment] = useState("");
  return (
    <Modal opened={opened} onClose={onClose} title={`Archive ${plural(count, "signal")}`} closeOnClickOutside={comment === ""} closeButtonProps={{ "aria-label": "Close" }}>
      <form
        className={classes.archive}
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit({ archive_reason: reason, archive_comment: comment.trim() });
        }}
      >
        <Select size="xs" data-autofocus label="Reason" data={REASONS} value={reason} allowDeselect={false} onChange={(value) => setReason((value ?? "none") as ArchiveReason)} />
        <Textarea size="xs" label="Comment" placeholder="Kept in the history of each" autosize minRows={3} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />
        <div className={classes.buttons}>
          <Button type="submit">Archive</Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** The ticked signals: of the loaded rows, or all that the query finds but the exceptions. */
async function collect({ config, filter, state }: ExplorerHandle, selection: Selection, loaded: ExploreEvent[]): Promise<ExploreEvent[]> {
  if (selection.kind === "rows") return loaded.filter((event) => selection.ids.has(event.id));
  const events: ExploreEvent[] = [];
  let cursor: string | null = null;
  do {
    const page = await eventsPage(config.track, filter, state.sort, cursor, PAGE);
    events.push(...page.data.filter((event) => !selection.except.has(event.id)));
    cursor = page.meta.page?.after ?? null;
  } while (cursor !== null);
  return events;
}

function before(event: ExploreEvent, change: TriageChange): TriageChange {
  const triage = custom(event).workflow?.triage;
  const state = stateOf(event) as TriageState;
  return {
    ...(change.state ? { state, ...(state === "archived" ? { archive_reason: triage?.archiveReason ?? triage?.archive_reason ?? "none" } : {}) } : {}),
    ...(change.assignee ? { assignee: { uuid: assigneeOf(event)?.uuid ?? "" } } : {}),
  };
}
