import { Button, Switch, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FieldFault } from "@/api/errors";
import type { SuppressionFields } from "@/api/suppressions";
import page from "@/components/Page.module.css";
import { QueryField } from "@/components/QueryField";
import { Section } from "@/components/Section";
import { useZone } from "@/components/zone";
import { fromInputValue, toInputValue } from "@/lib/time";
import classes from "./suppressions.module.css";

const DAY_MS = 86_400_000;
const TERMS = [7, 30, 90];
/** What completion of values counts in. */
const COMPLETED_DAYS = 30;

interface Props {
  fields: SuppressionFields;
  faults: FieldFault[];
  readOnly: boolean;
  edit: (change: Partial<SuppressionFields>) => void;
}

/** What to hide, of which rules, until when; a fault stands at its field. */
export function SuppressionForm({ fields, faults, readOnly, edit }: Props) {
  const [now] = useState(() => Date.now());
  const at = (target: string) => faults.find((fault) => fault.target === target)?.message;
  const span = { from: new Date(now - COMPLETED_DAYS * DAY_MS).toISOString(), to: new Date(now).toISOString() };
  return (
    <Section
      title="Suppression"
      aside={<Switch size="xs" labelPosition="left" label={fields.enabled ? "Enabled" : "Disabled"} checked={fields.enabled} disabled={readOnly} onChange={(event) => edit({ enabled: event.currentTarget.checked })} />}
    >
      <div className={`${page.form ?? ""} ${classes.fields ?? ""}`}>
        <TextInput size="xs" label="Name" required withAsterisk={false} placeholder="What was agreed, in a few words" disabled={readOnly} value={fields.name} error={at("name")} onChange={(event) => edit({ name: event.currentTarget.value })} />
        <TextInput
          size="xs"
          label="Rules"
          description="A search of the list of rules: ruleId:abc-def-ghi, source:okta, severity:low; * is every rule"
          classNames={{ input: page.mono ?? "" }}
          placeholder="source:okta tactic:ta0006*"
          disabled={readOnly}
          value={fields.rule_query}
          error={at("rule_query")}
          onChange={(event) => edit({ rule_query: event.currentTarget.value })}
        />
        <QueryField track="signals" label="Hide signals that match" description="A signal that matches when it is found is kept, but hidden. What is shown already stays" placeholder="@usr.id:load-test status:low" disabled={readOnly} value={fields.suppression_query} error={at("suppression_query")} onChange={(query) => edit({ suppression_query: query })} {...span} />
        <QueryField track="logs" label="Keep events from the rules" description="Events that match are stored, but these rules do not see them: not counted, not learned from" placeholder="source:nginx @http.useragent:*probe*" disabled={readOnly} value={fields.data_exclusion_query} error={at("data_exclusion_query")} onChange={(query) => edit({ data_exclusion_query: query })} {...span} />
        <div className={page.pair}>
          <Moment label="From" hint="At once" value={fields.start_date} error={at("start_date")} readOnly={readOnly} onChange={(time) => edit({ start_date: time })} />
          <div>
            <Moment label="Until" hint="Without end" value={fields.expiration_date} error={at("expiration_date")} readOnly={readOnly} onChange={(time) => edit({ expiration_date: time })} />
            {!readOnly && (
              <div className={classes.terms} role="group" aria-label="Until">
                {TERMS.map((days) => (
                  <Button key={days} size="compact-xs" variant="default" onClick={() => edit({ expiration_date: Math.max(now, fields.start_date ?? 0) + days * DAY_MS })}>
                    {days} days
                  </Button>
                ))}
                {fields.expiration_date !== null && (
                  <button type="button" className="link" onClick={() => edit({ expiration_date: null })}>
                    without end
                  </button>
                )}
              </div>
            )}
          </div>
        </div>
        <Textarea size="xs" label="Why" placeholder="Who agreed to it, and what has to happen for it to go" autosize minRows={2} maxRows={8} disabled={readOnly} value={fields.description} error={at("description")} onChange={(event) => edit({ description: event.currentTarget.value })} />
        <TagsInput size="xs" label="Tags" placeholder={fields.tags.length === 0 ? "team:soc, ticket:4711" : undefined} splitChars={[",", " "]} disabled={readOnly} value={fields.tags} error={at("tags")} onChange={(tags) => edit({ tags })} />
        {at("") && <p className={page.fault}>{at("")}</p>}
      </div>
    </Section>
  );
}

/** A time in the zone that the person reads; empty is open. */
function Moment({ label, hint, value, error, readOnly, onChange }: { label: string; hint: string; value: number | null; error?: string; readOnly: boolean; onChange: (time: number | null) => void }) {
  const { zone } = useZone();
  return (
    <TextInput
      size="xs"
      type="datetime-local"
      step={1}
      label={`${label} (${zone === "utc" ? "UTC" : "local"})`}
      description={value === null ? hint : undefined}
      inputWrapperOrder={["label", "input", "description", "error"]}
      disabled={readOnly}
      value={value === null ? "" : toInputValue(value, zone)}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value === "" ? null : fromInputValue(event.currentTarget.value, zone))}
    />
  );
}
