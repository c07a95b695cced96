import { ActionIcon, Checkbox, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { checkQuery } from "@/api/explore";
import type { FieldFault } from "@/api/errors";
import { useMay } from "@/api/session";
import type { RuleQuery } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { Icon } from "@/components/icons";
import { stringifySearch } from "@/lib/urlState";
import { faultsAt } from "./RuleForm";
import classes from "./rules.module.css";

const AGGREGATIONS = [
  { value: "count", label: "Count of events" },
  { value: "cardinality", label: "Distinct values" },
  { value: "sum", label: "Sum" },
  { value: "max", label: "Maximum" },
];

interface Props {
  query: RuleQuery;
  label: string;
  position: number;
  target: string;
  faults: FieldFault[];
  readOnly: boolean;
  isDefault: boolean;
  onChange: (change: Partial<RuleQuery>) => void;
  onRemove?: () => void;
}

/** One query of a rule: what it looks for, how it counts, by what it groups. */
export function QueryCard({ query, label, position, target, faults, readOnly, isDefault, onChange, onRemove }: Props) {
  const at = (member: string) => faultsAt(faults, `${target}.${member}`);
  const fixed = readOnly || isDefault;
  const mayRead = useMay("logs_read_data");
  const [settled] = useDebouncedValue(query.query, 300);
  const check = useQuery({ ...checkQuery("logs", settled), enabled: mayRead && settled.trim() !== "" && settled === query.query });
  const fault = check.data?.fault;
  const spoken = fault ? `${fault.message} (at character ${String(fault.start + 1)})` : undefined;
  const fix = fault?.fix;
  return (
    <fieldset className={classes.query}>
      <legend className="visually-hidden">Query {label}</legend>
      <div className={classes.queryHead}>
        <span className={classes.label}>{position}</span>
        <TextInput size="xs" aria-label={`Name of query ${label}`} placeholder={`${label}, or a name`} w={200} disabled={fixed} value={query.name} error={at("name")} onChange={(event) => onChange({ name: event.currentTarget.value })} />
        <AppLink to={`/logs${stringifySearch({ query: query.query })}`} className={classes.try}>
          Try it in Logs
        </AppLink>
        {onRemove && (
          <ActionIcon aria-label={`Remove query ${label}`} onClick={onRemove}>
            <Icon name="trash" />
          </ActionIcon>
        )}
      </div>
      <Textarea size="xs" aria-label={`Query ${label}`} placeholder="source:sshd @evt.outcome:failure" autosize minRows={1} maxRows={8} classNames={{ input: classes.mono }} disabled={fixed} value={query.query} error={spoken ?? at("query")} onChange={(event) => onChange({ query: event.currentTarget.value.replace(/\n/g, " ") })} />
      {fix && !fixed && (
        <button type="button" className="link" onClick={() => onChange({ query: fix })}>
          Use <code>{fix}</code>
        </button>
      )}
      {isDefault && (
        <TextInput size="xs" label="Extension" description="Must hold besides the query: narrow the rule to your environment" classNames={{ input: classes.mono }} disabled={readOnly} value={(query.customQueryExtension as string | undefined) ?? ""} error={at("customQueryExtension")} onChange={(event) => onChange({ customQueryExtension: event.currentTarget.value })} />
      )}
      <div className={classes.three}>
        <Select size="xs" label="Counts" data={AGGREGATIONS} allowDeselect={false} disabled={fixed} value={query.aggregation} error={at("aggregation")} onChange={(aggregation) => aggregation && onChange({ aggregation })} />
        {query.aggregation === "cardinality" && <TagsInput size="xs" label="of the attributes" disabled={fixed} value={query.distinctFields} error={at("distinctFields")} onChange={(distinctFields) => onChange({ distinctFields })} />}
        {(query.aggregation === "sum" || query.aggregation === "max") && <TagsInput size="xs" label="of the attribute" disabled={fixed} maxTags={1} value={query.metrics ?? []} error={at("metrics")} onChange={(metrics) => onChange({ metrics })} />}
        <TagsInput size="xs" label="Grouped by" placeholder={query.groupByFields.length === 0 ? "@usr.id, @network.client.ip, host" : undefined} disabled={fixed} value={query.groupByFields} error={at("groupByFields")} splitChars={[",", " "]} onChange={(groupByFields) => onChange({ groupByFields })} />
      </div>
      {query.groupByFields.length > 0 && <Checkbox size="xs" label="Events without these attributes count too, as N/A" disabled={fixed} checked={query.hasOptionalGroupByFields ?? false} onChange={(event) => onChange({ hasOptionalGroupByFields: event.currentTarget.checked })} />}
    </fieldset>
  );
}
