import { CopyButton, ActionIcon } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { signalQuery } from "@/api/signals";
import type { PanelProps } from "@/components/explorer/Explorer";
import type { ExplorerHandle } from "@/components/explorer/model";
import { Icon } from "@/components/icons";
import { CopyJson, JsonView } from "@/components/JsonView";
import { Section } from "@/components/Section";
import { SeverityLabel, StateLabel } from "@/components/Severity";
import { SidePanel } from "@/components/SidePanel";
import { ErrorState, SkeletonRows } from "@/components/states";
import { Tabs } from "@/components/Tabs";
import { RelativeTime } from "@/components/Time";
import { custom, severityOf, stateOf, timeOf, titleOf } from "./config";
import { History } from "./History";
import { RuleDetails } from "./RuleDetails";
import { SampleLogs } from "./SampleLogs";
import classes from "./signals.module.css";
import { TriageForm } from "./TriageForm";
import { WhatHappened } from "./WhatHappened";

/** One signal: what happened, next steps, then the tabs. */
export function SignalPanel({ explorer, event, id, close, step, startArchiving }: PanelProps & { explorer: ExplorerHandle; startArchiving: boolean }) {
  const [fromRow] = useState(event);
  const full = useQuery({ ...signalQuery(id), placeholderData: fromRow });
  const signal = full.data;
  const { state, update } = explorer;
  useEffect(() => {
    if (signal) document.title = `${titleOf(signal)} · Signals · Tocsin`;
  }, [signal]);

  if (!signal) {
    return (
      <SidePanel label="Signal" header={<h2 className={classes.heading}>Signal</h2>} onClose={close}>
        {full.error ? <ErrorState error={full.error} retry={() => void full.refetch()} /> : <SkeletonRows rows={8} />}
      </SidePanel>
    );
  }
  const { workflow } = custom(signal);
  return (
    <SidePanel
      label={`Signal: ${titleOf(signal)}`}
      onClose={close}
      onStep={step}
      header={
        <>
          <div className={classes.badges}>
            <SeverityLabel severity={severityOf(signal)} />
            <StateLabel state={stateOf(signal)} />
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
          <h2 className={classes.heading}>{titleOf(signal)}</h2>
        </>
      }
    >
      {full.error && <ErrorState inline error={full.error} retry={() => void full.refetch()} />}
      <Section title="What happened">
        <WhatHappened signal={signal} explorer={explorer} />
      </Section>
      <Section title="Next steps">
        <TriageForm event={signal} startArchiving={startArchiving} />
      </Section>
      <Tabs
        label="Details of the signal"
        value={state.tab}
        onChange={(tab) => update({ tab }, { replace: true })}
        tabs={[
          { id: "logs", label: "Logs", content: <SampleLogs signal={signal} /> },
          { id: "rule", label: "Rule details", content: <RuleDetails signal={signal} /> },
          { id: "timeline", label: "Timeline", content: <History id={id} /> },
          {
            id: "json",
            label: "JSON",
            content: (
              <>
                <div className={classes.toolbar}>
                  <CopyJson value={signal} />
                </div>
                <JsonView value={signal} depth={3} />
              </>
            ),
          },
        ]}
      />
    </SidePanel>
  );
}
