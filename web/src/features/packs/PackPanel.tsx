import { Button, Select } from "@mantine/core";
import { useState } from "react";
import { DURATIONS, packsQuery, setPackActive, subscribe, unsubscribe, type Duration, type GuideStep, type Pack } from "@/api/packs";
import { RULES_WRITE } from "@/api/rules";
import { useMe } from "@/api/session";
import { AppLink } from "@/components/AppLink";
import { Command } from "@/components/Command";
import { Fact } from "@/components/Fact";
import { Gate } from "@/components/Gate";
import page from "@/components/Page.module.css";
import { Section } from "@/components/Section";
import { SidePanel } from "@/components/SidePanel";
import { AbsoluteTime, RelativeTime } from "@/components/Time";
import { useAction } from "@/components/useAction";
import { formatNumber, plural } from "@/lib/format";
import { explained, logsOf, placed, rulesOf, samplesOf, signalsOf } from "./model";
import classes from "./packs.module.css";
import { PackState } from "./PackState";

const FILTERS_WRITE = "security_monitoring_filters_write";
const DURATION_WORDS: Record<Duration, string> = { "1h": "an hour", "1d": "a day", "3d": "three days", "7d": "a week" };

/** Changes a pack. */
const usePackAction = <T = void>(pack: Pack, act: (argument: T) => Promise<unknown>) => useAction(packsQuery.queryKey, `${pack.attributes.name} was not changed`, act);

/** A pack: how it is doing and why, how its logs get here, and how it would look. */
export function PackPanel({ pack, onClose }: { pack: Pack; onClose: () => void }) {
  const { name, about, guide } = pack.attributes;
  return (
    <SidePanel
      label={name}
      onClose={onClose}
      header={
        <>
          <h2 className={page.heading}>{name}</h2>
          <span className={page.dim}>{about}</span>
        </>
      }
    >
      <State pack={pack} />
      <Section title="Send its logs">
        <ol className={classes.steps}>
          {guide.map((step) => (
            <Step key={step.command} step={step} />
          ))}
        </ol>
        <p className={`${page.dim} ${classes.under ?? ""}`}>
          Logs name their source as <code>ddsource</code>: {pack.attributes.sources.map((source, index) => [index > 0 && ", ", <code key={source}>{source}</code>])}. An API key is made under <AppLink to="/settings/keys">Settings, Keys</AppLink>; <code>tocsin ingest</code> finds Tocsin by{" "}
          <code>TOCSIN_URL</code> and <code>TOCSIN_API_KEY</code>.
        </p>
      </Section>
      <Samples pack={pack} />
    </SidePanel>
  );
}

function State({ pack }: { pack: Pack }) {
  const { details, rules, logs, signals, pipelines, data_last_seen_at: last } = pack.attributes;
  const isActive = details.cp_activation === "activated";
  return (
    <Section title="State" aside={<Switching pack={pack} isActive={isActive} />}>
      <p className={classes.said}>
        <PackState pack={pack} />
      </p>
      {explained(pack).map((sentence) => (
        <p key={sentence} className={classes.said}>
          {sentence}
        </p>
      ))}
      <dl className={page.facts}>
        <Fact name="Last log">{last ? <RelativeTime time={Date.parse(last)} /> : "never"}</Fact>
        <Fact name="Logs, 72 hours">
          <AppLink to={logsOf(pack)}>{plural(logs.count, "log")}</AppLink>
          {logs.analysed < logs.count && (
            <>
              , {formatNumber(logs.analysed)} of them analysed (<AppLink to="/security-filters">security filters</AppLink>)
            </>
          )}
        </Fact>
        <Fact name="Rules">
          <AppLink to={rulesOf(pack, true)}>{rules.enabled} enabled</AppLink> of <AppLink to={rulesOf(pack)}>{rules.total}</AppLink>
        </Fact>
        <Fact name="Signals, 7 days">
          <AppLink to={signalsOf(pack)}>{plural(signals.count, "signal")}</AppLink>
        </Fact>
        {!details.filters_configured && (
          <Fact name="Security filters">
            <AppLink to="/security-filters">none takes its logs</AppLink>
          </Fact>
        )}
        <Fact name="Pipelines">
          {pipelines.length === 0 && "none needed"}
          {pipelines.map((pipeline, index) => (
            <span key={pipeline.id}>
              {index > 0 && ", "}
              <AppLink to={`/pipelines?pipeline=${encodeURIComponent(pipeline.id)}`}>{pipeline.name}</AppLink>
              {!pipeline.is_enabled && " (off)"}
            </span>
          ))}
        </Fact>
      </dl>
    </Section>
  );
}

/** Its rules on or off, all at once. */
function Switching({ pack, isActive }: { pack: Pack; isActive: boolean }) {
  const { name, rules } = pack.attributes;
  const { permissions } = useMe();
  const activate = usePackAction(pack, (on: boolean) => setPackActive(pack.id, on));
  const missing = [RULES_WRITE, FILTERS_WRITE].find((permission) => !permissions.has(permission)) ?? RULES_WRITE;
  const change = () => {
    if (!isActive || window.confirm(`Deactivate ${name}? Its ${plural(rules.enabled, "enabled rule")} raise no more signals until it is activated again.`)) activate.mutate(!isActive);
  };
  return (
    <Gate permission={missing}>
      {(may) => (
        <Button variant={isActive ? "default" : "filled"} size="compact-xs" disabled={!may} loading={activate.isPending} onClick={change}>
          {isActive ? "Deactivate" : "Activate"}
        </Button>
      )}
    </Gate>
  );
}

function Step({ step }: { step: GuideStep }) {
  const text = placed(step.text, window.location);
  return (
    <li>
      <p>{text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</p>
      <Command text={placed(step.command, window.location).trimEnd()} label={text} />
    </li>
  );
}

/** What its logs would look like, for somebody who has none yet. */
function Samples({ pack }: { pack: Pack }) {
  const { is_available: isAvailable, expires_at: until } = pack.attributes.sample_logs;
  const [duration, setDuration] = useState<Duration>("3d");
  const begin = usePackAction(pack, () => subscribe(pack.id, duration));
  const end = usePackAction(pack, () => unsubscribe(pack.id));
  if (!isAvailable) return null;
  return (
    <Section title="Sample logs">
      {until ? (
        <p className={classes.said}>
          They come until <AbsoluteTime time={Date.parse(until)} />: <AppLink to={samplesOf(pack)}>those of today</AppLink>, and <AppLink to="/signals?query=sample:true">signals of samples</AppLink>.
        </p>
      ) : (
        <p className={classes.said}>Logs of an invented company, an attack every half hour among them, to see what the rules make of them. They and their signals carry the tag sample:true, and are not counted above.</p>
      )}
      <Gate permission={RULES_WRITE}>
        {(may) => (
          <div className={classes.controls}>
            {!until && (
              <Select
                size="xs"
                w={130}
                aria-label="For how long"
                allowDeselect={false}
                disabled={!may}
                data={DURATIONS.map((value) => ({ value, label: `For ${DURATION_WORDS[value]}` }))}
                value={duration}
                onChange={(next) => setDuration(DURATIONS.find((one) => one === next) ?? duration)}
              />
            )}
            <Button variant="default" disabled={!may} loading={begin.isPending || end.isPending} onClick={() => (until ? end.mutate() : begin.mutate())}>
              {until ? "End sample logs" : "Send sample logs"}
            </Button>
          </div>
        )}
      </Gate>
    </Section>
  );
}
