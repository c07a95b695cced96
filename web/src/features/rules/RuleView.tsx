import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ruleQuery } from "@/api/rules";
import type { RuleCase } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { Markdown } from "@/components/Markdown";
import { SeverityLabel } from "@/components/Severity";
import { attackLabel } from "@/lib/format";
import { isSeverity } from "@/lib/severity";
import { stringifySearch } from "@/lib/urlState";
import { durationLabel } from "./durations";
import { messagesAt, useEditor } from "./editor";
import { AGGREGATIONS, methodOf, methodWith, sourceOf } from "./methods";
import { filtersOf } from "./filters";
import { scheduleOf, sentenceOf } from "./recurrence";
import { groupsOf, list, object, queryLabel, text, type ThirdPartyCase, type ThirdPartyOptions } from "./ruleDraft";
import { readsCalculated, type CalculatedField } from "./scheduling";
import classes from "./view.module.css";

/** The rule to be read: what it looks for, what that means, how severe it is. */
export function RuleView() {
  const { draft, hints } = useEditor();
  const remark = messagesAt(hints, "options.detectionMethod");
  const method = methodWith(methodOf(draft));
  const { options } = draft;
  const tagged = (key: string) => draft.tags.filter((tag) => tag.startsWith(`${key}:`)).map((tag) => tag.slice(key.length + 1));
  const attack = [...tagged("tactic"), ...tagged("technique")].map(attackLabel);
  const others = draft.tags.filter((tag) => !/^(?:tactic|technique):/.test(tag));
  const times = [
    ["Evaluation window", options.evaluationWindow],
    ["Keep alive", options.keepAlive],
    ["Maximum duration", options.maxSignalDuration],
  ].filter((each): each is [string, number] => typeof each[1] === "number" && options.detectionMethod !== "third_party");
  return (
    <div className={classes.view}>
      <div>
        <Fact label="Method">
          <strong>{method?.label ?? methodOf(draft)}.</strong> {method?.purpose}
          {remark && <p className={classes.dim}>{remark}</p>}
        </Fact>
        <Runs />
        {options.detectionMethod === "third_party" ? <Vendor /> : <Looks />}
        <Narrowed />
        {times.length > 0 && (
          <Fact label="Times">
            {times.map(([name, seconds]) => `${name.toLowerCase()} ${durationLabel(seconds).toLowerCase()}`).join(", ")}
          </Fact>
        )}
        <MethodFacts />
        {attack.length > 0 && <Fact label="ATT&CK">{attack.join(" · ")}</Fact>}
        {others.length > 0 && <Fact label="Tags">{others.join(", ")}</Fact>}
      </div>
      <section aria-label="Playbook">
        <Markdown text={(text(draft.customMessage) || draft.message) || "*This rule has no playbook.*"} />
      </section>
    </div>
  );
}

/** When it runs, of rules that do not look at logs as they come in, and the fields that they make of them. */
function Runs() {
  const { draft } = useEditor();
  const schedule = scheduleOf(draft.schedulingOptions);
  const fields = list<CalculatedField>(draft.calculatedFields);
  return (
    <>
      {schedule && <Fact label="Runs">{sentenceOf(schedule) ?? <code>{schedule.rrule}</code>}</Fact>}
      {fields.length > 0 && (
        <Fact label="Fields">
          <ul className={classes.list}>
            {fields.map((field) => (
              <li key={field.name}>
                <code>
                  #{field.name} = {field.expression}
                </code>
              </li>
            ))}
          </ul>
        </Fact>
      )}
    </>
  );
}

/** What else narrows the queries, and what makes one signal of several groups. */
function Narrowed() {
  const { draft } = useEditor();
  const tables = list<{ tableName?: string; columnName?: string; logFieldPath?: string; ruleQueryName?: string; checkPresence?: boolean }>(draft.referenceTables);
  const filters = filtersOf(draft);
  const merged = list<string>(draft.groupSignalsBy);
  return (
    <>
      {tables.length + filters.length > 0 && (
        <Fact label="Only if">
          <ul className={classes.list}>
            {tables.map((each, index) => (
              <li key={index}>
                <code>{each.logFieldPath}</code> {each.checkPresence === false ? "is not in" : "is in"} {each.columnName} of the table {each.tableName}
                {each.ruleQueryName && <span className={classes.dim}>, of {each.ruleQueryName}</span>}
              </li>
            ))}
            {filters.map((each, index) => (
              <li key={index}>
                {each.action === "require" ? "matches" : "does not match"} <code>{each.query}</code>
              </li>
            ))}
          </ul>
        </Fact>
      )}
      {merged.length > 0 && <Fact label="One signal">for each {merged.join(", ")}</Fact>}
    </>
  );
}

function Looks() {
  const { draft } = useEditor();
  return (
    <>
      <Fact label="Looks for">
        <ol className={classes.list}>
          {draft.queries.map((query, index) => (
            <li key={index}>
              <strong>{queryLabel(query, index)}</strong>{" "}
              {sourceOf(query) === "rule" ? (
                <>
                  signals of the rule <RuleLink id={text(query.ruleId) || text(query.defaultRuleId)} />
                </>
              ) : readsCalculated(draft, query.query) ? (
                <code>{query.query}</code>
              ) : (
                <AppLink to={`/${sourceOf(query)}${stringifySearch({ query: query.query })}`}>
                  <code>{query.query}</code>
                </AppLink>
              )}
              {text(query.customQueryExtension) && (
                <>
                  {" "}
                  and <code>{text(query.customQueryExtension)}</code>
                </>
              )}
              <span className={classes.dim}>{counts(query.aggregation, [...list<string>(query.distinctFields), ...list<string>(query.metrics)])}</span>
              <ForEach fields={groupsOf(query)} />
            </li>
          ))}
        </ol>
      </Fact>
      <Fact label="Severity">
        <ol className={classes.list}>
          {draft.cases.map((each, index) => (
            <li key={index}>
              <SeverityLabel severity={isSeverity(each.customStatus) ? each.customStatus : each.status} /> {each.condition && <code>{each.condition}</code>} {each.name && <span className={classes.dim}>{each.name}</span>}
              <Notified each={each} />
            </li>
          ))}
        </ol>
      </Fact>
    </>
  );
}

/** Who is told of a case, and who of each new value of an attribute. */
function Notified({ each }: { each: RuleCase }) {
  const recipients = list<string>(each.notifications);
  if (recipients.length === 0) return null;
  const values = (recipient: string) => list<{ recipient: string; attribute: string }>(each.everyNewValue).filter((one) => one.recipient === recipient);
  const told = recipients.map((recipient) => (values(recipient).length > 0 ? `${recipient} (also each new ${values(recipient).map((one) => one.attribute).join(", ")})` : recipient));
  return <span className={classes.dim}> · notifies {told.join(", ")}</span>;
}

function Vendor() {
  const { draft } = useEditor();
  const options = object<ThirdPartyOptions>(draft.options.thirdPartyRuleOptions);
  return (
    <>
      <Fact label="Takes over">
        <ol className={classes.list}>
          {list<ThirdPartyOptions["rootQueries"][number]>(options.rootQueries).map((root, index) => (
            <li key={index}>
              <AppLink to={`/logs${stringifySearch({ query: root.query ?? "*" })}`}>
                <code>{root.query}</code>
              </AppLink>
              <ForEach fields={list<string>(root.groupByFields)} />
            </li>
          ))}
        </ol>
      </Fact>
      <Fact label="Severity">
        <ol className={classes.list}>
          {list<ThirdPartyCase>(draft.thirdPartyCases).map((each, index) => (
            <li key={index}>
              <SeverityLabel severity={each.status} /> <code>{each.query}</code> {each.name && <span className={classes.dim}>{each.name}</span>}
            </li>
          ))}
          <li>
            <SeverityLabel severity={options.defaultStatus ?? ""} /> <span className={classes.dim}>all others</span>
          </li>
        </ol>
      </Fact>
    </>
  );
}

/** The options of the method, as they are set. */
function MethodFacts() {
  const { draft } = useEditor();
  const steps = list<{ name?: string; condition?: string; evaluationWindow?: number }>(object<{ steps: unknown }>(draft.options.sequenceDetectionOptions).steps);
  const names = ["newValueOptions", "anomalyDetectionOptions", "contentAnomalyOptions", "impossibleTravelOptions"];
  const set = names.flatMap((name) => Object.entries(object<Record<string, unknown>>(draft.options[name])));
  return (
    <>
      {steps.length > 0 && (
        <Fact label="Steps">
          <ol className={classes.list}>
            {steps.map((step, index) => (
              <li key={index}>
                <strong>{step.name}</strong> <code>{step.condition}</code> <span className={classes.dim}>within {durationLabel(step.evaluationWindow ?? 0).toLowerCase()}</span>
              </li>
            ))}
          </ol>
        </Fact>
      )}
      {set.length > 0 && <Fact label="Learning">{set.map(([name, value]) => `${spaced(name)} ${String(value)}`).join(", ")}</Fact>}
    </>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section className={classes.fact} aria-label={label}>
      <h2>{label}</h2>
      <div>{children}</div>
    </section>
  );
}

/** Another rule by its name, as far as it is known. */
function RuleLink({ id }: { id: string }) {
  const { data } = useQuery({ ...ruleQuery(id), retry: false });
  return <AppLink to={`/rules/${id}`}>{data ? data.customName || data.name : id}</AppLink>;
}

function ForEach({ fields }: { fields: string[] }) {
  return fields.length > 0 ? <span className={classes.dim}> for each {fields.join(", ")}</span> : null;
}

function counts(aggregation: string, fields: string[]): string {
  if (aggregation === "count" || aggregation === "event_count") return fields.length > 0 ? `, compares ${fields.join(", ")}` : "";
  if (aggregation === "new_value") return `, new values of ${fields.join(", ")}`;
  if (aggregation === "geo_data") return ", by location";
  const label = AGGREGATIONS.threshold?.find((each) => each.value === aggregation)?.label ?? aggregation;
  return `, ${label.toLowerCase()} of ${fields.join(", ")}`;
}

const spaced = (name: string): string => name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
