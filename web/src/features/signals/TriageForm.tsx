import { Button, Loader, Select, Textarea } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { ApiError } from "@/api/errors";
import { usersQuery } from "@/api/people";
import { useMe } from "@/api/session";
import type { TriageChange } from "@/api/signals";
import type { ExploreEvent } from "@/api/types";
import { Form } from "@/components/Dialog";
import { FoundSelect } from "@/components/FoundSelect";
import { Gate } from "@/components/Gate";
import { Icon } from "@/components/icons";
import { StateLabel } from "@/components/Severity";
import { ARCHIVE_REASONS, STATES, type ArchiveReason, type TriageState } from "@/lib/severity";
import { assigneeOf, custom, stateOf } from "./config";
import classes from "./signals.module.css";
import { showTheirs, useTriage } from "./useTriage";

const WRITE = "security_monitoring_signals_write";
const REASONS = Object.entries(ARCHIVE_REASONS).map(([value, label]) => ({ value, label }));

/** What was chosen and typed of why a signal is archived, so far. */
export interface ArchiveDraft {
  reason?: ArchiveReason;
  comment?: string;
}

export interface Archiving {
  /** While the reason for archiving is being asked for. */
  draft: ArchiveDraft | undefined;
  onDraft: (draft: ArchiveDraft | null) => void;
}

/** Next steps: state, reason and comment, assignee. What was typed survives every refusal. */
export function TriageForm({ event, draft, onDraft }: { event: ExploreEvent } & Archiving) {
  const client = useQueryClient();
  const me = useMe();
  // Whom it is assigned to says nothing of the reason that is being written.
  const triage = useTriage({ onDone: ({ state }) => state !== undefined && onDraft(null) });
  const state = stateOf(event);
  const assignee = assigneeOf(event);
  const decided = custom(event).workflow?.triage;
  const reason = decided?.archiveReason ?? decided?.archive_reason;
  const comment = decided?.archiveComment ?? decided?.archive_comment;

  const archive = () => onDraft(draft ?? {});
  const change = (next: TriageChange) => triage.mutate({ id: event.id, seen: event, change: next });
  const reload = () => {
    triage.reset();
    showTheirs(client, event.id).catch(() => undefined); // the panel shows why it could not be read
  };

  return (
    <Gate permission={WRITE}>
      {(may) => (
        <div className={classes.triage}>
          <div className={classes.steps}>
            <div role="group" aria-label="State" className={classes.states}>
              {STATES.map((each) => (
                <button
                  key={each}
                  type="button"
                  className={classes.state}
                  aria-pressed={each === state}
                  disabled={!may}
                  onClick={() => (each === "archived" ? archive() : change({ state: each as TriageState }))}
                >
                  <StateLabel state={each} />
                </button>
              ))}
            </div>
            <AssigneeSelect assignee={assignee} disabled={!may} onChange={(uuid) => change({ assignee: { uuid } })} />
            {assignee?.uuid !== me.uuid && (
              <Button variant="default" disabled={!may} onClick={() => change({ assignee: { uuid: me.uuid } })}>
                Assign to me
              </Button>
            )}
            {triage.isPending && <Loader size={14} aria-label="Saving" />}
          </div>
          {state === "archived" && !draft && (
            <p className={classes.dim}>
              Archived{reason && reason !== "none" ? `: ${ARCHIVE_REASONS[reason].toLowerCase()}` : ""}
              {comment ? `. “${comment}”` : ""}{" "}
              {may && (
                <button type="button" className="link" onClick={archive}>
                  Change the reason
                </button>
              )}
            </p>
          )}
          {draft && <ArchiveForm draft={draft} onDraft={onDraft} reason={reason} comment={comment} busy={triage.isPending} onSubmit={(given) => change({ state: "archived", ...given })} />}
          <Refusal error={triage.error} reload={reload} />
        </div>
      )}
    </Gate>
  );
}

interface ArchiveProps {
  draft: ArchiveDraft;
  onDraft: (draft: ArchiveDraft | null) => void;
  reason?: ArchiveReason;
  comment?: string;
  busy: boolean;
  onSubmit: (given: { archive_reason: ArchiveReason; archive_comment: string }) => void;
}

function ArchiveForm({ draft, onDraft, reason, comment, busy, onSubmit }: ArchiveProps) {
  const [isNew] = useState(() => Object.keys(draft).length === 0);
  const chosen = draft.reason ?? reason ?? "none";
  const text = draft.comment ?? comment ?? "";
  const id = useId();
  const submit = () => onSubmit({ archive_reason: chosen, archive_comment: text.trim() });
  return (
    <Form className={classes.archive} aria-label="Archive this signal" busy={busy} onSubmit={submit}>
      <Select size="xs" label="Reason" data={REASONS} value={chosen} allowDeselect={false} onChange={(value) => onDraft({ ...draft, reason: (value ?? "none") as ArchiveReason })} data-autofocus autoFocus={isNew} comboboxProps={{ withinPortal: true }} />
      <Textarea
        id={id}
        size="xs"
        label="Comment"
        placeholder="What you found, for whoever looks next"
        autosize
        minRows={2}
        maxRows={8}
        value={text}
        onChange={(event) => onDraft({ ...draft, comment: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
        }}
      />
      <div className={classes.buttons}>
        <Button type="submit" loading={busy}>
          Archive
        </Button>
        <Button variant="default" onClick={() => onDraft(null)}>
          Cancel
        </Button>
      </div>
    </Form>
  );
}

interface AssigneeProps {
  assignee: { uuid: string; name: string } | null;
  disabled: boolean;
  onChange: (uuid: string) => void;
}

export function AssigneeSelect({ assignee, disabled, onChange }: AssigneeProps) {
  const [text, setText] = useState("");
  const users = useQuery(usersQuery(text));
  return (
    <FoundSelect
      w={136}
      aria-label="Assignee"
      placeholder="Unassigned"
      clearable
      clearButtonProps={{ "aria-label": "Unassign" }}
      nothing={users.error ? "People could not be read" : "Nobody by this name"}
      leftSection={<Icon name="user" size={14} />}
      found={(users.data?.data ?? []).filter((user) => !user.attributes.disabled).map((user) => ({ value: user.id, label: user.attributes.name ?? user.attributes.handle }))}
      isSearching={users.isFetching}
      onSearch={setText}
      value={assignee?.uuid ?? null}
      name={assignee?.name}
      disabled={disabled}
      onChange={(uuid) => onChange(uuid ?? "")}
    />
  );
}

function Refusal({ error, reload }: { error: unknown; reload: () => void }) {
  if (!error) return null;
  const api = error instanceof ApiError ? error : null;
  return (
    <div className={classes.refusal} role="alert">
      <Icon name={api?.isLocked ? "lock" : "alert"} size={14} />
      <div>
        {api?.isLocked && <strong>Signals older than 30 days are kept as they were decided. </strong>}
        {api?.isStale && <strong>Somebody was faster. </strong>}
        {api?.permission && <strong>This needs the permission {api.permission}. </strong>}
        {error instanceof Error ? error.message : "The request failed."}{" "}
        {api?.isStale && (
          <button type="button" className="link" onClick={reload}>
            Reload the signal, keep what I typed
          </button>
        )}
        {api && !api.isStale && api.requestId && <span className={classes.dim}> Request {api.requestId}</span>}
      </div>
    </div>
  );
}
