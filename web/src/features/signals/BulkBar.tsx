import { Button, Menu, Progress, Select, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { eventsPage } from "@/api/explore";
import { usersQuery } from "@/api/people";
import { useMe } from "@/api/session";
import { changeSignals, type BulkOutcome, type TriageChange } from "@/api/signals";
import type { ExploreEvent } from "@/api/types";
import type { BulkProps } from "@/components/explorer/Explorer";
import type { ExplorerHandle } from "@/components/explorer/model";
import { useHotkeys } from "@/components/hotkeys";
import { Dialog, Form } from "@/components/Dialog";
import { Icon } from "@/components/icons";
import { tellFailure } from "@/components/telling";
import { formatNumber, plural } from "@/lib/format";
import { countSelected, EVERYTHING, isSelected, NOTHING, type Selection } from "@/lib/selection";
import { ARCHIVE_REASONS, STATE_WORDS, type ArchiveReason, type TriageState } from "@/lib/severity";
import { assigneeOf, custom, stateOf, titleOf } from "./config";
import classes from "./signals.module.css";
import { isSame, known, ONE_AFTER_ANOTHER, refreshCounts, showDecisions } from "./useTriage";

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

  const work = useMutation({
    scope: ONE_AFTER_ANOTHER,
    mutationFn: (step: () => Promise<void>) => step(),
    onError: (error) => {
      setJob(null);
      tellFailure("Nothing was changed", error.message);
    },
  });
  const run = (label: string, change: TriageChange) => {
    setArchiving(false);
    work.mutate(async () => {
      setJob({ label, total: count, done: 0, outcome: null, undo: [] });
      const found = (await collect(explorer, selection, loaded)).map((event) => ({ event, ...known(client, event) }));
      const steps = found.filter(({ state }) => !isSame(change, state));
      const outcome = await changeSignals(
        steps.map(({ event, version }) => ({ id: event.id, change: { ...change, version } })),
        (done) => setJob((current) => current && { ...current, total: steps.length, done }),
      );
      showDecisions(client, outcome.done);
      refreshCounts(client);
      const undo = steps.filter(({ event }) => outcome.done.has(event.id)).map(({ event, state }) => ({ id: event.id, change: before(event, state, change) }));
      setJob({ label, total: steps.length, done: steps.length, outcome, undo });
    });
  };
  const undo = (steps: Job["undo"]) =>
    work.mutate(async () => {
      setJob({ label: "Undo", total: steps.length, done: 0, outcome: null, undo: [] });
      const outcome = await changeSignals(steps, (done) => setJob((current) => current && { ...current, done }));
      showDecisions(client, outcome.done);
      setJob({ label: "Undone", total: steps.length, done: steps.length, outcome, undo: [] });
      explorer.refresh();
    });

  const review = () => run("Moved under review", { state: "under_review" });
  const reopen = () => run("Reopened", { state: "open" });
  const assignToMe = () => run("Assigned to you", { assignee: { uuid: me.uuid } });

  const people = (users.data?.data ?? []).filter((user) => !user.attributes.disabled).map((user) => ({ uuid: user.id, name: user.attributes.name ?? user.attributes.handle }));
  const unlisted = (users.data?.meta.page.total_filtered_count ?? 0) - (users.data?.data.length ?? 0);
  useHotkeys([
    { keys: ["a"], label: "Assign the ticked signals to me", group: "Triage", run: () => assignToMe() },
    { keys: ["u"], label: "Ticked signals under review", group: "Triage", run: () => review() },
    { keys: ["r"], label: "Reopen the ticked signals", group: "Triage", run: () => reopen() },
    { keys: ["e"], label: "Archive the ticked signals", group: "Triage", run: () => setArchiving(true) },
  ]);

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
          <Button variant="default" disabled={running} onClick={review}>
            {STATE_WORDS.under_review}
          </Button>
        )}
        {changes("archived") && (
          <Button variant="default" disabled={running} onClick={() => setArchiving(true)}>
            Archive…
          </Button>
        )}
        {changes("open") && (
          <Button variant="default" disabled={running} onClick={reopen}>
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
            <Menu.Item onClick={assignToMe}>Me</Menu.Item>
            {people
              .filter((person) => person.uuid !== me.uuid)
              .map((person) => (
                <Menu.Item key={person.uuid} onClick={() => run(`Assigned to ${person.name}`, { assignee: { uuid: person.uuid } })}>
                  {person.name}
                </Menu.Item>
              ))}
            <Menu.Item onClick={() => run("Unassigned", { assignee: { uuid: "" } })}>Nobody</Menu.Item>
            {unlisted > 0 && <Menu.Label>{plural(unlisted, "person is", "people are")} not listed here: a signal's own assignee can be searched</Menu.Label>}
          </Menu.Dropdown>
        </Menu>
        <Button variant="subtle" color="gray" disabled={running} onClick={() => select(NOTHING)}>
          Clear
        </Button>
      </div>
      {job && <Outcome job={job} loaded={loaded} onUndo={() => undo(job.undo)} onDismiss={() => setJob(null)} />}
      <ArchiveMany opened={archiving} count={count} onClose={() => setArchiving(false)} onSubmit={(given) => run("Archived", { state: "archived", ...given })} />
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
        {job.label}: {plural(outcome.done.size, "signal")}
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
    <Dialog opened={opened} onClose={onClose} title={`Archive ${plural(count, "signal")}`} closeOnClickOutside={comment === ""}>
      <Form className={classes.archive} onSubmit={() => onSubmit({ archive_reason: reason, archive_comment: comment.trim() })}>
        <Select size="xs" data-autofocus label="Reason" data={REASONS} value={reason} allowDeselect={false} onChange={(value) => setReason((value ?? "none") as ArchiveReason)} />
        <Textarea size="xs" label="Comment" placeholder="Kept in the history of each" autosize minRows={3} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />
        <div className={classes.buttons}>
          <Button type="submit">Archive</Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </Form>
    </Dialog>
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

function before(event: ExploreEvent, was: string, change: TriageChange): TriageChange {
  const triage = custom(event).workflow?.triage;
  const state = was as TriageState;
  return {
    ...(change.state ? { state, ...(state === "archived" ? { archive_reason: triage?.archiveReason ?? triage?.archive_reason ?? "none" } : {}) } : {}),
    ...(change.assignee ? { assignee: { uuid: assigneeOf(event)?.uuid ?? "" } } : {}),
  };
}
