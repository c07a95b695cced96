import { ActionIcon, Checkbox, NumberInput, SegmentedControl, Select, TextInput } from "@mantine/core";
import type { RuleQuery } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { Icon } from "@/components/icons";
import { RuleSelect } from "@/components/RuleSelect";
import { stringifySearch } from "@/lib/urlState";
import { useEditor, useField } from "../editor";
import { AGGREGATIONS, methodOf, sourceOf, SOURCES, withSource, type Source } from "../methods";
import { list, queryLabel, text } from "../ruleDraft";
import { readsCalculated } from "../scheduling";
import classes from "./form.module.css";
import { FieldsInput } from "./FieldsInput";
import { Fault } from "./Part";
import { QueryField } from "./QueryField";

const SOURCE_LABELS: Record<Source, string> = { logs: "Logs", signals: "Signals", rule: "Signals of a rule" };

interface Props {
  query: RuleQuery;
  index: number;
  onChange: (query: RuleQuery) => void;
  onRemove?: () => void;
}

/** One query of a rule: where it looks, for what, how it counts, by what it groups. */
export function QueryCard({ query, index, onChange, onRemove }: Props) {
  const { draft, fixed, isDefault, readOnly } = useEditor();
  const field = useField();
  const target = `queries[${String(index)}]`;
  const label = queryLabel(query, index);
  const method = methodOf(draft);
  const source = sourceOf(query);
  const sources = SOURCES[method] ?? ["logs"];
  const track = source === "logs" ? "logs" : "signals";
  const change = (next: Partial<RuleQuery>) => onChange({ ...query, ...next });
  return (
    <fieldset className={classes.query}>
      <legend className="visually-hidden">Query {label}</legend>
      <div className={classes.queryHead}>
        <span className={classes.label}>{index + 1}</span>
        {method !== "new_value" && <TextInput size="xs" aria-label={`Name of query ${label}`} placeholder={`${label}, or a name`} w={200} disabled={fixed} value={text(query.name)} {...field(`${target}.name`)} onChange={(event) => change({ name: event.currentTarget.value })} />}
        {sources.length > 1 && !fixed && <SegmentedControl size="xs" aria-label={`Where query ${label} looks`} data={sources.map((value) => ({ value, label: SOURCE_LABELS[value] }))} value={source} onChange={(value) => onChange(withSource(query, value as Source))} />}
        {source !== "rule" && !readsCalculated(draft, query.query) && (
          <AppLink to={`/${track}${stringifySearch({ query: query.query })}`} className={classes.try}>
            Open in {source === "logs" ? "Logs" : "Signals"}
          </AppLink>
        )}
        {onRemove && (
          <ActionIcon aria-label={`Remove query ${label}`} className={classes.end} onClick={onRemove}>
            <Icon name="trash" />
          </ActionIcon>
        )}
      </div>
      {source === "rule" ? (
        <CorrelatedRule query={query} target={target} onChange={change} />
      ) : (
        <>
          <QueryField label={`Query ${label}`} target={`${target}.query`} track={track} disabled={fixed} placeholder={track === "signals" ? "@workflow.rule.id:aws-roo-001 status:high" : undefined} value={text(query.query)} onChange={(next) => change({ query: next })} />
          {isDefault && <TextInput size="xs" label="Extension" description="Must hold besides the query: narrow the rule to your environment" classNames={{ input: classes.mono }} disabled={readOnly} value={text(query.customQueryExtension)} {...field(`${target}.customQueryExtension`)} onChange={(event) => change({ customQueryExtension: event.currentTarget.value })} />}
          <Counting query={query} target={target} method={method} onChange={change} />
        </>
      )}
      <Fault>{field(target).error}</Fault>
    </fieldset>
  );
}

/** How a query counts and groups, as far as its method leaves a choice. */
function Counting({ query, target, method, onChange }: { query: RuleQuery; target: string; method: string; onChange: (change: Partial<RuleQuery>) => void }) {
  const { fixed } = useEditor();
  const field = useField();
  const aggregations = AGGREGATIONS[method];
  const metrics = list<string>(query.metrics);
  const groups = list<string>(query.groupByFields);
  const track = sourceOf(query) === "logs" ? "logs" : "signals";
  return (
    <>
      <div className={classes.fields}>
        {aggregations && <Select size="xs" label="Counts" data={aggregations} allowDeselect={false} disabled={fixed} value={query.aggregation} {...field(`${target}.aggregation`)} onChange={(aggregation) => aggregation && onChange({ aggregation })} />}
        {query.aggregation === "cardinality" && <FieldsInput label="of the attributes" target={`${target}.distinctFields`} track={track} disabled={fixed} value={list<string>(query.distinctFields)} onChange={(distinctFields) => onChange({ distinctFields })} />}
        {(query.aggregation === "sum" || query.aggregation === "max") && <FieldsInput label="of the attribute" target={`${target}.metrics`} track={track} maxTags={1} disabled={fixed} value={metrics} onChange={(next) => onChange({ metrics: next })} />}
        {method === "new_value" && <FieldsInput label="New values of" description="Up to 5 attributes; a new combination counts" placeholder="@network.client.geoip.country.iso_code" target={`${target}.metrics`} maxTags={5} disabled={fixed} value={metrics} onChange={(next) => onChange({ metrics: next })} />}
        {method === "content_anomaly" && <FieldsInput label="Compares the words of" description="Up to 10 attributes" placeholder="@process.command_line" target={`${target}.metrics`} maxTags={10} disabled={fixed} value={metrics} onChange={(next) => onChange({ metrics: next })} />}
        {method === "impossible_travel" && <FieldsInput label="Location" description="Always where the client's address is" target={`${target}.metrics`} disabled value={metrics} onChange={() => undefined} />}
        <FieldsInput
          label={method === "impossible_travel" ? "Account" : "Grouped by"}
          description={method === "impossible_travel" ? "One account's accesses are compared" : method === "new_value" ? "Each group learns its own values" : method === "content_anomaly" ? "Each group is compared with its own past" : undefined}
          placeholder="@usr.id, @network.client.ip, host"
          target={`${target}.groupByFields`}
          track={track}
          disabled={fixed}
          value={groups}
          onChange={(groupByFields) => onChange({ groupByFields })}
        />
      </div>
      {groups.length > 0 && <Checkbox size="xs" label="Events without these attributes count too, as N/A" disabled={fixed} checked={query.hasOptionalGroupByFields ?? false} onChange={(event) => onChange({ hasOptionalGroupByFields: event.currentTarget.checked })} />}
    </>
  );
}

/** The signals of another rule that meet by what they have in common (siem.md §2.20). */
function CorrelatedRule({ query, target, onChange }: { query: RuleQuery; target: string; onChange: (change: Partial<RuleQuery>) => void }) {
  const { fixed } = useEditor();
  const field = useField();
  const member = query.defaultRuleId !== undefined && query.ruleId === undefined ? "defaultRuleId" : "ruleId";
  const position = query.correlatedQueryIndex;
  return (
    <div className={classes.fields}>
      <RuleSelect label="Signals of the rule" description="Suppressed ones do not count" disabled={fixed} value={text(query[member])} {...field(`${target}.${member}`)} onChange={(id) => onChange({ [member]: id })} />
      <FieldsInput label="That meet by" description="Up to 3 attributes; the same order in each query" placeholder="@usr.id" target={`${target}.correlatedByFields`} track="signals" maxTags={3} disabled={fixed} value={list<string>(query.correlatedByFields)} onChange={(correlatedByFields) => onChange({ correlatedByFields })} />
      <NumberInput
        size="xs"
        label="From its query number"
        description="Empty: what its queries have in common"
        min={1}
        max={10}
        allowDecimal={false}
        disabled={fixed}
        value={typeof position === "number" ? position + 1 : ""}
        {...field(`${target}.correlatedQueryIndex`)}
        onChange={(next) => onChange(next === "" ? { correlatedQueryIndex: undefined } : { correlatedQueryIndex: Number(next) - 1 })}
      />
    </div>
  );
}
