import { ActionIcon, Button, Checkbox, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import type { FieldFault } from "@/api/errors";
import { Icon } from "@/components/icons";
import { Markdown } from "@/components/Markdown";
import { SEVERITIES, SEVERITY_WORDS, type Severity } from "@/lib/severity";
import { QueryCard } from "./QueryCard";
import { emptyCase, emptyQuery, moveUp, queryLabel, removeAt, replaceAt, type RuleDraft } from "./ruleDraft";
import classes from "./rules.module.css";

const WINDOWS = [0, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const SEVERITY_OPTIONS = SEVERITIES.map((severity) => ({ value: severity, label: SEVERITY_WORDS[severity] }));

interface Props {
  draft: RuleDraft;
  edit: (change: Partial<RuleDraft>) => void;
  faults: FieldFault[];
  readOnly: boolean;
  /** Built-in rules let only some members change (api.md §4). */
  isDefault: boolean;
}

/** The common part of a rule; a fault stands at the field that it is about. */
export function RuleForm({ draft, edit, faults, readOnly, isDefault }: Props) {
  const at = (target: string) => faultsAt(faults, target);
  const fixed = readOnly || isDefault;
  const { options } = draft;
  const duration = (name: "evaluationWindow" | "keepAlive" | "maxSignalDuration", label: string, description: string) => (
    <Select
      size="xs"
      label={label}
      description={description}
      data={WINDOWS.map((seconds) => ({ value: String(seconds), label: durationLabel(seconds) }))}
      value={options[name] === undefined ? null : String(options[name])}
      placeholder="Default"
      allowDeselect={false}
      disabled={readOnly}
      error={at(`options.${name}`)}
      onChange={(value) => value !== null && edit({ options: { ...options, [name]: Number(value) } })}
    />
  );
  return (
    <div className={classes.form}>
      {isDefault && (
        <p className={classes.note}>
          This rule comes with Tocsin. Its name, message, severities, tags and options can be adjusted; its queries can be narrowed by an extension. Everything else follows its updates.
        </p>
      )}
      <Part title="Rule">
        <TextInput
          size="xs"
          label="Name"
          required withAsterisk={false}
          disabled={readOnly}
          value={isDefault ? ((draft.customName as string | undefined) ?? draft.name) : draft.name}
          error={at("name") ?? at("customName")}
          onChange={(event) => edit(isDefault ? { customName: event.currentTarget.value } : { name: event.currentTarget.value })}
        />
        <TagsInput
          size="xs"
          label="Tags"
          description="source:okta, tactic:TA0006-credential-access, technique:T1110-brute-force"
          disabled={readOnly}
          value={draft.tags}
          error={at("tags")}
          onChange={(tags) => edit({ tags })}
          splitChars={[",", " "]}
          clearable={false}
        />
      </Part>

      <Part
        title="Queries"
        aside={
          !fixed && (
            <Button variant="default" leftSection={<Icon name="plus" size={12} />} onClick={() => edit({ queries: [...draft.queries, emptyQuery()] })}>
              Add a query
            </Button>
          )
        }
      >
        {at("queries") && <p className={classes.fault}>{at("queries")}</p>}
        {draft.queries.map((query, index) => (
          <QueryCard
            key={index}
            query={query}
            label={queryLabel(query, index)}
            position={index + 1}
            target={`queries[${String(index)}]`}
            faults={faults}
            readOnly={readOnly}
            isDefault={isDefault}
            onChange={(change) => edit({ queries: replaceAt(draft.queries, index, change) })}
            onRemove={draft.queries.length > 1 && !fixed ? () => edit({ queries: removeAt(draft.queries, index) }) : undefined}
          />
        ))}
      </Part>

      <Part
        title="Cases"
        aside={
          !fixed && (
            <Button variant="default" leftSection={<Icon name="plus" size={12} />} onClick={() => edit({ cases: [...draft.cases, emptyCase()] })}>
              Add a case
            </Button>
          )
        }
      >
        <p className={classes.dim}>
          The first case whose condition holds decides the severity. Conditions speak of the queries by name: {draft.queries.map(queryLabel).join(", ")}.
        </p>
        {at("cases") && <p className={classes.fault}>{at("cases")}</p>}
        {draft.cases.map((each, index) => {
          const target = `cases[${String(index)}]`;
          const change = (next: object) => edit({ cases: replaceAt(draft.cases, index, next) });
          return (
            <div key={index} className={classes.case}>
              <Select size="xs" aria-label={`Severity of case ${String(index + 1)}`} w={110} data={SEVERITY_OPTIONS} allowDeselect={false} disabled={readOnly} value={(isDefault ? (each.customStatus as string | undefined) : undefined) ?? each.status} error={at(`${target}.status`)} onChange={(status) => status && change(isDefault ? { customStatus: status as Severity } : { status: status as Severity })} />
              <TextInput size="xs" aria-label={`Condition of case ${String(index + 1)}`} placeholder="a > 5 && b > 0" className={classes.grow} classNames={{ input: classes.mono }} disabled={fixed} value={each.condition ?? ""} error={at(`${target}.condition`)} onChange={(event) => change({ condition: event.currentTarget.value })} />
              <TextInput size="xs" aria-label={`Name of case ${String(index + 1)}`} placeholder="Name, optional" w={200} disabled={fixed} value={each.name} error={at(`${target}.name`)} onChange={(event) => change({ name: event.currentTarget.value })} />
              {!fixed && (
                <>
                  <ActionIcon aria-label={`Move case ${String(index + 1)} up`} disabled={index === 0} onClick={() => edit({ cases: moveUp(draft.cases, index) })}>
                    <Icon name="chevronUp" />
                  </ActionIcon>
                  <ActionIcon aria-label={`Remove case ${String(index + 1)}`} disabled={draft.cases.length === 1} onClick={() => edit({ cases: removeAt(draft.cases, index) })}>
                    <Icon name="trash" />
                  </ActionIcon>
                </>
              )}
            </div>
          );
        })}
      </Part>

      <Part title="Time">
        <div className={classes.three}>
          {duration("evaluationWindow", "Evaluation window", "Events within it count together")}
          {duration("keepAlive", "Keep alive", "A signal closes after this long without a match")}
          {duration("maxSignalDuration", "Maximum duration", "A signal never stays open longer")}
        </div>
        {at("options") && <p className={classes.fault}>{at("options")}</p>}
        <Checkbox
          size="xs"
          label="One severity lower in staging, test and dev"
          description="When the tag env starts with one of them"
          disabled={readOnly}
          checked={options.decreaseCriticalityBasedOnEnv ?? false}
          onChange={(event) => edit({ options: { ...options, decreaseCriticalityBasedOnEnv: event.currentTarget.checked } })}
        />
      </Part>

      <Part title="Message">
        <div className={classes.message}>
          <Textarea
            size="xs"
            label="Playbook, in Markdown"
            description="{{@usr.id}}, {{host}}, {{#is_match}} … become the signal's values"
            autosize
            minRows={12}
            maxRows={40}
            classNames={{ input: classes.mono }}
            disabled={readOnly}
            value={isDefault ? ((draft.customMessage as string | undefined) ?? draft.message) : draft.message}
            error={at("message") ?? at("customMessage")}
            onChange={(event) => edit(isDefault ? { customMessage: event.currentTarget.value } : { message: event.currentTarget.value })}
          />
          <div>
            <div className={classes.previewTitle}>Preview</div>
            <div className={classes.preview}>
              <Markdown text={((isDefault ? (draft.customMessage as string | undefined) : undefined) ?? draft.message) || "*Nothing yet: say what this means and what to do first.*"} />
            </div>
          </div>
        </div>
      </Part>
    </div>
  );
}

function Part({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className={classes.part} aria-label={title}>
      <div className={classes.partHead}>
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** The messages about exactly this member, or about members of it that have no field of their own. */
export function faultsAt(faults: FieldFault[], target: string): string | undefined {
  const messages = faults.filter((fault) => fault.target === target || (/^tags$/.test(target) && fault.target.startsWith("tags["))).map((fault) => fault.message);
  return messages.length > 0 ? messages.join(" ") : undefined;
}

function durationLabel(seconds: number): string {
  if (seconds === 0) return "None";
  if (seconds < 3600) return `${String(seconds / 60)} minutes`.replace(/^1 minutes$/, "1 minute");
  return `${String(seconds / 3600)} hours`.replace(/^1 hours$/, "1 hour");
}
