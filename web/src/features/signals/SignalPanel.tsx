import { CopyButton, ActionIcon } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Fragment, useEffect, useState, type ReactNode } from "react";
import { eventQuery } from "@/api/explore";
import { useMay } from "@/api/session";
import { signalQuery } from "@/api/signals";
import { SUPPRESSIONS_WRITE } from "@/api/suppressions";
import type { ExploreEvent, SignalCustom } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import type { PanelProps } from "@/components/explorer/Explorer";
import type { ExplorerHandle } from "@/components/explorer/model";
import { Icon } from "@/components/icons";
import { CopyJson, JsonView } from "@/components/JsonView";
import page from "@/components/Page.module.css";
import { Section } from "@/components/Section";
import { SeverityLabel, StateLabel } from "@/components/Severity";
import { SidePanel } from "@/components/SidePanel";
import { ErrorState, SkeletonRows } from "@/components/states";
import { Tabs, type Tab } from "@/components/Tabs";
import { AbsoluteTime, RelativeTime } from "@/components/Time";
import { straight } from "@/lib/format";
import { valueClauses } from "@/lib/queryText";
import { newSuppression } from "@/lib/suppressions";
import { stringifySearch } from "@/lib/urlState";
import { custom, severityOf, stateOf, timeOf, titleOf } from "./config";
import { Explained } from "./Explained";
import { History } from "./History";
import { RelatedSignals } from "./RelatedSignals";
import { RuleDetails } from "./RuleDetails";
import { SampleLogs } from "./SampleLogs";
import classes from "./signals.module.css";
import { TriageForm, type Archiving } from "./TriageForm";
import { WhatHappened } from "./WhatHappened";

/** One signal: what happened, next steps, then the tabs. */
export function SignalPanel({ draft, onDraft, event, ...props }: SignalPanelProps & Archiving) {
  const full = useQuery({ ...signalQuery(props.id), placeholderData: useRow(event) });
  return (
    <Panel
      {...props}
      signal={full.data}
      isWhole={!full.isPlaceholderData}
      error={full.error}
      retry={() => void full.refetch()}
      steps={(signal) => <TriageForm event={signal} draft={draft} onDraft={onDraft} />}
      timeline={{ id: "timeline", label: "Timeline", content: <History id={props.id} /> }}
    />
  );
}

/** One that a suppression hides: it says by which, and nobody triages it. */
export function HiddenSignalPanel({ event, ...props }: SignalPanelProps) {
  const full = useQuery({ ...eventQuery("suppressed", props.id), placeholderData: useRow(event) });
  return <Panel {...props} signal={full.data} isWhole={!full.isPlaceholderData} error={full.error} retry={() => void full.refetch()} />;
}

/** As the row says it, until the signal has come: decided meanwhile, or gone from the list. */
function useRow(event: ExploreEvent | undefined): ExploreEvent | undefined {
  const [row, setRow] = useState(event);
  if (event && event !== row) setRow(event);
  return row;
}

type SignalPanelProps = PanelProps & { explorer: ExplorerHandle };

interface Props extends Omit<SignalPanelProps, "event"> {
  signal: ExploreEvent | undefined;
  /** Not only what its row carries: logs and explanation come with the rest. */
  isWhole: boolean;
  error: unknown;
  retry: () => void;
  /** What people do with it; without it the signal is hidden. */
  steps?: (signal: ExploreEvent) => ReactNode;
  timeline?: Tab;
}

function Panel({ explorer, signal, isWhole, error, retry, steps, timeline, close, step }: Props) {
  const { state, update } = explorer;
  const maySuppress = useMay(SUPPRESSIONS_WRITE);
  useEffect(() => {
    if (signal) document.title = straight(`${titleOf(signal)} · Signals · Tocsin`);
  }, [signal]);

  if (!signal) {
    return (
      <SidePanel label="Signal" header={<h2 className={page.heading}>Signal</h2>} onClose={close}>
        {error ? <ErrorState error={error} retry={retry} /> : <SkeletonRows rows={8} />}
      </SidePanel>
    );
  }
  const { workflow, groupByValues } = custom(signal);
  const onceWhole = (content: ReactNode) => (isWhole ? content : !error && <SkeletonRows rows={4} />);
  return (
    <SidePanel
      label={`Signal: ${titleOf(signal)}`}
      onClose={close}
      onStep={step}
      header={
        <>
          <div className={classes.badges}>
            <SeverityLabel severity={severityOf(signal)} />
            {steps && <StateLabel state={stateOf(signal)} />}
            <span className={classes.dim}>
              first seen <RelativeTime time={timeOf(workflow?.first_seen ?? signal.attributes.timestamp)} />, last seen <RelativeTime time={timeOf(workflow?.last_seen ?? signal.attributes.timestamp)} />
            </span>
            <CopyButton value={window.location.href}>
              {({ copied, copy }) => (
                <ActionIcon aria-label={copied ? "Link copied" : "Copy a link to this signal"} title="Copy a link to this signal" onClick={copy} ml="auto">
                  <Icon name={copied ? "check" : "external"} size={14} />
                </ActionIcon>
              )}
            </CopyButton>
          </div>
          <h2 className={page.heading}>{titleOf(signal)}</h2>
        </>
      }
    >
      {Boolean(error) && <ErrorState inline error={error} retry={retry} />}
      {workflow?.suppression && (
        <Section title="Hidden">
          <HiddenNote {...workflow.suppression} />
        </Section>
      )}
      <Section title="What happened">
        <WhatHappened signal={signal} explorer={explorer} />
      </Section>
      {steps && (
        <Section
          title="Next steps"
          aside={
            maySuppress && workflow?.rule?.id && (
              <AppLink to={newSuppression(workflow.rule.id, valueClauses(groupByValues).join(" "))} title="Hide such signals of this rule from now on">
                Suppress…
              </AppLink>
            )
          }
        >
          {steps(signal)}
        </Section>
      )}
      <Tabs
        label="Details of the signal"
        value={state.tab}
        onChange={(tab) => update({ tab }, { replace: true })}
        tabs={[
          { id: "logs", label: "Logs", content: onceWhole(<SampleLogs signal={signal} />) },
          { id: "related", label: "Related", content: <RelatedSignals signal={signal} explorer={explorer} /> },
          { id: "why", label: "Why", content: onceWhole(<Explained signal={signal} />) },
          { id: "rule", label: "Rule details", content: <RuleDetails signal={signal} /> },
          ...(timeline ? [timeline] : []),
          {
            id: "json",
            label: "JSON",
            content: onceWhole(
              <>
                <div className={classes.toolbar}>
                  <CopyJson value={signal} />
                </div>
                <JsonView value={signal} depth={3} />
              </>,
            ),
          },
        ]}
      />
    </SidePanel>
  );
}

function HiddenNote({ id, name, hides, since }: NonNullable<NonNullable<SignalCustom["workflow"]>["suppression"]>) {
  return (
    <p className={classes.hiddenNote}>
      {hides === "update" ? "The signal itself is shown; how it went on is hidden by " : "Hidden by "}
      {name.map((each, index) => (
        <Fragment key={id[index]}>
          {index > 0 && ", "}
          <AppLink to={`/suppressions${stringifySearch({ open: id[index] })}`}>{each}</AppLink>
        </Fragment>
      ))}{" "}
      since <AbsoluteTime time={Date.parse(since)} />. It stays hidden when the suppression ends.
    </p>
  );
}
