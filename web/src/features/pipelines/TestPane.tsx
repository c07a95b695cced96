import { Button, Menu, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { eventsPage } from "@/api/explore";
import type { PipelineTestResult } from "@/api/pipelines";
import { useMay } from "@/api/session";
import { Icon } from "@/components/icons";
import { CopyJson, JsonView } from "@/components/JsonView";
import pages from "@/components/Page.module.css";
import { plural } from "@/lib/format";
import { changesOf, sampleOf, type Change } from "./pipelineDraft";
import classes from "./pipelines.module.css";
import { kindLabel } from "./processorKinds";
import { OUTCOMES } from "./ProcessorList";

interface Props {
  text: string;
  onText: (text: string) => void;
  /** What trying gave; undefined while there is no sample or the pipeline is not valid. */
  result: PipelineTestResult | undefined;
  isRunning: boolean;
  /** Why it could not be tried. */
  fault: string | null;
  /** Samples that the pipeline carries. */
  samples: string[];
  /** The filter, for a recent log. */
  query: string;
  from: string;
  to: string;
}

/** A log on its way through the pipeline: what each step changed, and what is left of it at the end. */
export function TestPane({ text, onText, result, isRunning, fault, samples, query, from, to }: Props) {
  const isJson = typeof sampleOf(text) === "object" && sampleOf(text) !== null;
  return (
    <section className={classes.test} aria-label="Try it on a log">
      <div className={classes.testHead}>
        <h2>Try it on a log</h2>
        <Samples samples={samples} query={query} from={from} to={to} onPick={onText} />
      </div>
      <Textarea size="xs" aria-label="Sample log" description={text.trim() === "" ? "A line as it is sent, or JSON with message, ddsource, service, tags and attributes" : isJson ? "Read as JSON" : "Read as a text"} inputWrapperOrder={["input", "description"]} placeholder='Failed password for root from 203.0.113.9 port 4242 ssh2' classNames={{ input: pages.mono }} autosize minRows={4} maxRows={12} spellCheck={false} value={text} onChange={(event) => onText(event.currentTarget.value)} />
      {fault && (
        <p className={pages.fault} role="alert">
          {fault}
        </p>
      )}
      {result && (
        <div aria-busy={isRunning}>
          {!result.is_matched && <p className={classes.note}>The pipeline's filter does not take this log: live, it would pass by. Below is what the processors would do with it.</p>}
          <Steps result={result} />
          <div className={classes.testHead}>
            <h3>The log at the end</h3>
            <CopyJson value={result.event} />
          </div>
          <div className={classes.event}>
            <JsonView value={result.event} depth={4} />
          </div>
        </div>
      )}
    </section>
  );
}

/** What can be taken as a sample: those of the grok parsers, and a log that came lately. */
function Samples({ samples, query, from, to, onPick }: { samples: string[]; query: string; from: string; to: string; onPick: (text: string) => void }) {
  const may = useMay("logs_read_data");
  const [opened, setOpened] = useState(false);
  const recent = useQuery({
    queryKey: ["pipeline-samples", query, from, to],
    queryFn: ({ signal }) => eventsPage("logs", { query, from, to }, { field: "timestamp", descending: true }, null, 5, signal),
    enabled: may && opened,
    retry: false,
    staleTime: 30_000,
  });
  const logs = (recent.data?.data ?? []).flatMap(({ attributes: { message, source } }) => (message ? [JSON.stringify({ message, ...(typeof source === "string" && source ? { ddsource: source } : {}) }, null, 2)] : []));
  const messages = (recent.data?.data ?? []).flatMap(({ attributes: { message } }) => (message ? [message] : []));
  return (
    <Menu position="bottom-end" width={460} opened={opened} onChange={setOpened}>
      <Menu.Target>
        <Button variant="default" size="compact-xs" rightSection={<Icon name="chevronDown" size={12} />}>
          Take a sample
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={classes.menu} mah={360}>
        {samples.length > 0 && <Menu.Label>Samples of the pipeline</Menu.Label>}
        {samples.map((sample) => (
          <Menu.Item key={sample} onClick={() => onPick(sample)}>
            <span className={classes.sample}>{sample}</span>
          </Menu.Item>
        ))}
        {may && <Menu.Label>{recent.isFetching ? "Looking for recent logs…" : messages.length > 0 ? "Recent logs that the filter takes" : recent.error ? "The filter is not valid yet" : "No recent log that the filter takes"}</Menu.Label>}
        {messages.map((message, index) => (
          <Menu.Item key={index} onClick={() => onPick(logs[index] ?? message)}>
            <span className={classes.sample}>{message}</span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Steps({ result }: { result: PipelineTestResult }) {
  const steps = changesOf(result.before, result.steps);
  const failed = result.steps.filter((step) => step.outcome === "failed").length;
  const done = result.steps.filter((step) => step.outcome === "changed").length;
  return (
    <>
      <div className={classes.testHead}>
        <h3>Step by step</h3>
        <span className={pages.dim} role="status">
          {plural(done, "step")} changed the log{failed > 0 ? `, ${String(failed)} failed` : ""}
        </span>
      </div>
      {steps.length === 0 && <p className={pages.dim}>The pipeline has no processors yet.</p>}
      <ol className={classes.steps}>
        {steps.map(({ step, changes }) => (
          <li key={step.where} className={classes.step} data-nested={step.where.includes("].") || undefined}>
            <div className={classes.stepHead}>
              <span className={classes.name}>{step.name || kindLabel(step.type)}</span>
              {step.name && <span className={pages.dim}>{kindLabel(step.type)}</span>}
              <span className={classes.outcome} data-outcome={step.outcome}>
                {OUTCOMES[step.outcome] ?? step.outcome}
              </span>
            </div>
            {step.failed && <p className={pages.fault}>{step.failed}</p>}
            {changes.length > 0 && <Changes changes={changes} />}
          </li>
        ))}
      </ol>
    </>
  );
}

const SIGNS = { added: "+", changed: "~", removed: "−" } as const;

function Changes({ changes }: { changes: Change[] }) {
  return (
    <ul className={classes.changes}>
      {changes.map(({ path, kind, before, after }) => (
        <li key={path} data-kind={kind}>
          <span className={classes.sign} aria-hidden="true">
            {SIGNS[kind]}
          </span>
          <span className="visually-hidden">{kind} </span>
          <span className={classes.path}>{path}</span>
          <span className={classes.values}>
            {kind !== "added" && <del>{before}</del>} {kind !== "removed" && <span>{after}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
