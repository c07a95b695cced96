import { Button, Switch, TagsInput, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { ApiError, type FieldFault } from "@/api/errors";
import { createPipeline, pipelineKeys, pipelineQuery, pipelineTestQuery, updatePipeline, type Pipeline } from "@/api/pipelines";
import { useMay } from "@/api/session";
import { Icon } from "@/components/icons";
import pages from "@/components/Page.module.css";
import { PageBar } from "@/components/PageBar";
import { QueryField } from "@/components/QueryField";
import { ErrorState, SkeletonRows } from "@/components/states";
import { tell } from "@/components/telling";
import { stringifySearch } from "@/lib/urlState";
import { draftOf, EMPTY, faultAt, isDirty, pipelineOf, sampleOf, samplesIn, type Draft } from "./pipelineDraft";
import { WRITE } from "./PipelineList";
import type { PipelinesProps, PipelinesSearch } from "./PipelinesPage";
import classes from "./pipelines.module.css";
import { ProcessorList } from "./ProcessorList";
import { TestPane } from "./TestPane";

const ALL = { to: "/pipelines", label: "Pipelines" };
const COMPLETES_IN_MS = 7 * 86_400_000;

interface Props {
  /** `new`, or the id. */
  id: string;
  copyOf: string | null;
  change: PipelinesProps["change"];
}

/** A pipeline, or a new one, read before it is edited. */
export function PipelineEditor({ id, copyOf, change }: Props) {
  const isNew = id === "new";
  const from = isNew ? copyOf : id;
  // Not read again behind somebody's back: who else saved is told when saving.
  const read = useQuery({ ...pipelineQuery(from ?? ""), enabled: from !== null, refetchOnWindowFocus: false, refetchOnReconnect: false, staleTime: Infinity, gcTime: 0 });
  if (from !== null && !read.data) {
    return (
      <div className={pages.page}>
        <PageBar title="Pipeline" crumb={ALL} />
        {read.error ? <ErrorState error={read.error} retry={() => void read.refetch()} /> : <SkeletonRows rows={14} />}
      </div>
    );
  }
  const original = !read.data ? EMPTY : isNew ? { ...draftOf(read.data), name: `${read.data.name} (copy)` } : draftOf(read.data);
  return <Editor key={read.data?.version ?? "new"} pipeline={isNew ? null : (read.data ?? null)} original={original} onRead={() => void read.refetch()} change={change} />;
}

interface EditorProps {
  /** Null: it does not exist yet. */
  pipeline: Pipeline | null;
  original: Draft;
  onRead: () => void;
  change: Props["change"];
}

function Editor({ pipeline, original: given, onRead, change }: EditorProps) {
  const client = useQueryClient();
  const may = useMay(WRITE);
  const [original, setOriginal] = useState(given);
  const [draft, setDraft] = useState(given);
  const [version, setVersion] = useState(pipeline?.version ?? null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [sample, setSample] = useState("");
  const isShipped = pipeline?.is_read_only ?? false;
  const readOnly = !may || isShipped;
  const dirty = pipeline === null || isDirty(original, draft);
  const [range] = useState(() => {
    const now = Date.now();
    return { from: new Date(now - COMPLETES_IN_MS).toISOString(), to: new Date(now).toISOString() };
  });

  // One request says whether the draft is valid and what it does to the sample.
  const [settled] = useDebouncedValue(useMemo(() => ({ draft, sample }), [draft, sample]), 350);
  const body = useMemo(() => pipelineOf(settled.draft), [settled.draft]);
  const samples = useMemo(() => {
    const parsed = sampleOf(settled.sample);
    return parsed === null ? [] : [parsed];
  }, [settled.sample]);
  const trial = useQuery({ ...pipelineTestQuery(body, samples), enabled: may });
  const result = trial.error || samples.length === 0 ? undefined : trial.data?.[0];
  const outcomes = useMemo(() => outcomesOf(result?.steps ?? []), [result]);

  const save = useMutation({
    mutationFn: ({ sent, over }: { sent: Draft; over: boolean }) => (pipeline ? updatePipeline(pipeline.id, pipelineOf(sent), over ? null : version) : createPipeline(pipelineOf(sent))),
    onSuccess: (saved, { sent }) => {
      void client.invalidateQueries({ queryKey: [...pipelineKeys.all, "list"] });
      setOriginal(sent);
      setVersion(saved.version);
      tell(pipeline ? "Saved: logs that come from now on run through it" : "Pipeline created: logs run through it last");
      if (!pipeline) change({ pipeline: saved.id, copy: "" });
    },
  });
  const isConflict = save.error instanceof ApiError && save.error.isStale;
  const edit = (next: Partial<Draft>) => {
    // There is something to lose again, and what was refused may be mended; a conflict stays until it is decided.
    if (save.isSuccess || (save.isError && !isConflict)) save.reset();
    setDraft((current) => ({ ...current, ...next }));
  };
  const isCreating = pipeline === null && (save.isPending || save.isSuccess);
  useBlocker({
    shouldBlockFn: ({ current, next }) => !readOnly && !save.isPending && !isCreating && hasWork(pipeline, original, draft) && isElsewhere(current, next) && !window.confirm("Leave without saving the changes to this pipeline?"),
    enableBeforeUnload: () => !readOnly && hasWork(pipeline, original, draft),
  });
  const faults = faultsOf(save.error, trial.error);
  const loose = looseOf(save.error && !isConflict ? save.error : trial.error, faults);
  return (
    <div className={pages.page}>
      <PageBar
        title={draft.name || "New pipeline"}
        crumb={ALL}
        actions={
          <>
            {!may && <span className={pages.dim}>Editing needs the permission {WRITE}</span>}
            {may && isShipped && pipeline && (
              <>
                <span className={pages.dim}>Shipped, read-only</span>
                <Button variant="default" leftSection={<Icon name="copy" size={14} />} onClick={() => change({ pipeline: "new", copy: pipeline.id })}>
                  Copy to edit
                </Button>
              </>
            )}
            {!readOnly && pipeline && dirty && (
              <Button variant="default" onClick={() => setDraft(original)}>
                Discard
              </Button>
            )}
            {!readOnly && (
              <Button disabled={!dirty || faults.length > 0 || draft.name.trim() === ""} loading={save.isPending} onClick={() => save.mutate({ sent: draft, over: false })}>
                {pipeline ? "Save" : "Create pipeline"}
              </Button>
            )}
          </>
        }
      >
        {readOnly ? <span className={pages.dim}>{draft.isEnabled ? "Enabled" : "Disabled"}</span> : <Switch size="xs" label={draft.isEnabled ? "Enabled" : "Disabled"} checked={draft.isEnabled} onChange={(event) => edit({ isEnabled: event.currentTarget.checked })} />}
      </PageBar>
      {isConflict && pipeline && <Conflict id={pipeline.id} onTheirs={onRead} onMine={() => save.mutate({ sent: draft, over: true })} />}
      {Boolean(loose) && <ErrorState inline error={loose} />}
      {/* The page of the new pipeline takes the place of this one: nothing is typed into a form that is about to go. */}
      <div className={classes.editor} inert={isCreating}>
        <div className={classes.main}>
          <TextInput size="xs" label="Name" required withAsterisk={false} disabled={readOnly} value={draft.name} error={faultAt(faults, "name")} onChange={(event) => edit({ name: event.currentTarget.value })} />
          <QueryField track="logs" label="Filter" description="Logs that it takes run through the processors below" placeholder="source:sshd" value={draft.query} error={faultAt(faults, "filter")} disabled={readOnly} from={range.from} to={range.to} onChange={(query) => edit({ query })} />
          <div className={pages.pair}>
            <TextInput size="xs" label="Description" disabled={readOnly} value={draft.description} error={faultAt(faults, "description")} onChange={(event) => edit({ description: event.currentTarget.value })} />
            <TagsInput size="xs" label="Tags" disabled={readOnly} splitChars={[",", " "]} value={draft.tags} error={faultAt(faults, "tags")} onChange={(tags) => edit({ tags })} />
          </div>
          <h2>Processors</h2>
          <ProcessorList
            items={draft.items}
            prefix=""
            onChange={(items) => edit({ items })}
            context={{
              faults,
              outcomes,
              open,
              onOpen: (key, isOpen) =>
                setOpen((current) => {
                  const next = new Set(current);
                  if (isOpen) next.add(key);
                  else next.delete(key);
                  return next;
                }),
              readOnly,
              ...range,
            }}
          />
        </div>
        {may ? (
          <TestPane text={sample} onText={setSample} result={result} isRunning={trial.isFetching} fault={samples.length > 0 && trial.error ? whyNot(trial.error, faults) : null} samples={samplesIn(draft.items)} query={draft.query} {...range} />
        ) : (
          <section className={classes.test} aria-label="Try it on a log">
            <h2>Try it on a log</h2>
            <p className={pages.dim}>Trying a pipeline needs the permission {WRITE}.</p>
          </section>
        )}
      </div>
    </div>
  );
}

/** Somebody else saved first: nothing is lost, and who edits here decides. */
function Conflict({ id, onTheirs, onMine }: { id: string; onTheirs: () => void; onMine: () => void }) {
  return (
    <div className={classes.conflict} role="alert">
      <Icon name="alert" />
      <p>
        Somebody else saved this pipeline while you edited it. Your changes are still here.{" "}
        <a href={`/pipelines${stringifySearch({ pipeline: id })}`} target="_blank" rel="noreferrer">
          See theirs in a new tab
        </a>
      </p>
      <Button variant="default" onClick={() => window.confirm("Drop your changes and take theirs?") && onTheirs()}>
        Take theirs
      </Button>
      <Button variant="default" onClick={() => window.confirm("Save yours over theirs? What they changed is lost.") && onMine()}>
        Save mine over theirs
      </Button>
    </div>
  );
}

/** Another page, or another pipeline. */
const isElsewhere = (current: { pathname: string; search: unknown }, next: { pathname: string; search: unknown }): boolean =>
  current.pathname !== next.pathname || (current.search as PipelinesSearch).pipeline !== (next.search as PipelinesSearch).pipeline;

/** A new pipeline has work in it once anything was chosen. */
const hasWork = (pipeline: Pipeline | null, original: Draft, draft: Draft): boolean => isDirty(pipeline ? original : EMPTY, draft);

/** The faults of the draft as it is; those of a save only until the draft was tried again. */
function faultsOf(saving: unknown, trying: unknown): FieldFault[] {
  const error = trying ?? saving;
  return error instanceof ApiError && !error.isStale ? error.fields : [];
}

function looseOf(error: unknown, faults: FieldFault[]): unknown {
  if (!(error instanceof ApiError)) return error ?? null;
  return faults.length > 0 || error.isStale ? null : error;
}

function whyNot(error: unknown, faults: FieldFault[]): string {
  if (faults.length > 0) return "It is tried as soon as the mistakes in the pipeline are mended.";
  return error instanceof Error ? error.message : String(error);
}

/** What each processor did, and of a nested pipeline what those inside did at most. */
function outcomesOf(steps: { where: string; outcome: string }[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { where, outcome } of steps) {
    found.set(where, outcome);
    const end = where.indexOf("].");
    if (end < 0) continue;
    const outer = where.slice(0, end + 1);
    const known = found.get(outer);
    if (known !== "failed" && (known !== "changed" || outcome === "failed")) found.set(outer, outcome);
  }
  return found;
}
