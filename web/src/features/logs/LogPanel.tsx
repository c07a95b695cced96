import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { eventQuery } from "@/api/explore";
import { AttributeTable } from "@/components/AttributeTable";
import type { PanelProps } from "@/components/explorer/Explorer";
import { fieldTexts, membersOf, type ExplorerHandle } from "@/components/explorer/model";
import { CopyJson, JsonView } from "@/components/JsonView";
import { Section } from "@/components/Section";
import { LogStatus } from "@/components/Severity";
import { SidePanel } from "@/components/SidePanel";
import { ErrorState, SkeletonRows } from "@/components/states";
import { Tags } from "@/components/Tag";
import { Tabs } from "@/components/Tabs";
import { AbsoluteTime } from "@/components/Time";
import { ValueMenu } from "@/components/ValueMenu";
import classes from "./logs.module.css";

const RESERVED = ["host", "service", "source"] as const;

/** One event: its message, where it came from, every attribute, JSON. */
export function LogPanel({ explorer, event, id, close, step }: PanelProps & { explorer: ExplorerHandle }) {
  const [fromRow] = useState(event);
  const full = useQuery({ ...eventQuery("logs", id), placeholderData: fromRow });
  const log = full.data;
  const { state, update } = explorer;
  if (!log) {
    return (
      <SidePanel label="Log" header={<h2 className={classes.heading}>Log</h2>} onClose={close}>
        {full.error ? <ErrorState error={full.error} retry={() => void full.refetch()} /> : <SkeletonRows rows={8} />}
      </SidePanel>
    );
  }
  const { attributes } = log;
  return (
    <SidePanel
      label="Log"
      onClose={close}
      onStep={step}
      header={
        <div className={classes.badges}>
          <LogStatus status={attributes.status ?? ""} />
          <h2 className={classes.heading}>
            <AbsoluteTime time={Date.parse(attributes.timestamp)} />
          </h2>
        </div>
      }
    >
      {full.error && <ErrorState inline error={full.error} retry={() => void full.refetch()} />}
      <Section title="Message">
        <pre className={classes.message}>{attributes.message ?? ""}</pre>
        <dl className={classes.reserved}>
          {RESERVED.map((field) => {
            const values = fieldTexts(log, field);
            return (
              <div key={field}>
                <dt>{field}</dt>
                <dd>{values.length === 0 ? "–" : values.map((value) => <ValueMenu key={value} field={field} value={value} />)}</dd>
              </div>
            );
          })}
        </dl>
        <Tags tags={attributes.tags ?? []} />
      </Section>
      <Tabs
        label="Details of the log"
        value={state.tab}
        onChange={(tab) => update({ tab }, { replace: true })}
        tabs={[
          { id: "attributes", label: "Attributes", content: <AttributeTable value={membersOf(attributes)} /> },
          {
            id: "json",
            label: "JSON",
            content: (
              <>
                <div className={classes.toolbar}>
                  <CopyJson value={log} />
                </div>
                <JsonView value={log} depth={4} />
              </>
            ),
          },
        ]}
      />
    </SidePanel>
  );
}
