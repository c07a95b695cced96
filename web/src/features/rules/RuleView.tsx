import type { ReactNode } from "react";
import { AppLink } from "@/components/AppLink";
import { Markdown } from "@/components/Markdown";
import { SeverityLabel } from "@/components/Severity";
import { attackLabel } from "@/lib/format";
import { isSeverity } from "@/lib/severity";
import { stringifySearch } from "@/lib/urlState";
import { durationLabel } from "./durations";
import { useEditor } from "./editor";
import { AGGREGATIONS, methodOf, METHODS, sourceOf } from "./methods";
import { list, object, queryLabel, text, type ThirdPartyCase, type ThirdPartyOptions } from "./ruleDraft";
import classes from "./rules.module.css";

/** The rule to be read: what it looks for, what that means, how severe it is. */
export function RuleView() {
  const { draft } = useEditor();
  const method = METHODS.find((each) => each.id === methodOf(draft));
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
        </Fact>
        {options.detectionMethod === "third_party" ? <Vendor /> : <Looks />}
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

function Looks() {
  const { draft } = useEditor();
  return (
    <>
      <Fact label="Looks for">
        <ol className={classes.viewList}>
          {draft.queries.map((query, index) => (
            <li key={index}>
              <strong>{queryLabel(query, index)}</strong>{" "}
              {sourceOf(query) === "rule" ? (
                <>
                  signals of the rule <AppLink to={`/rules/${text(query.ruleId) || text(query.defaultRuleId)}`}>{text(query.ruleId) || text(query.defaultRuleId)}</AppLink>
                </>
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
              {list<string>(query.groupByFields ?? query.correlatedByFields).length > 0 && <span className={classes.dim}> for each {list<string>(query.groupByFields ?? query.correlatedByFields).join(", ")}</span>}
            </li>
          ))}
        </ol>
      </Fact>
      <Fact label="Severity">
        <ol className={classes.viewList}>
          {draft.cases.map((each, index) => (
            <li key={index}>
              <SeverityLabel severity={isSeverity(each.customStatus) ? each.customStatus : each.status} /> {each.condition && <code>{each.condition}</code>} {each.name && <span className={classes.dim}>{each.name}</span>}
              {list<string>(each.notifications).length > 0 && <span className={classes.dim}> notifies {list<string>(each.notifications).join(", ")}</span>}
            </li>
          ))}
        </ol>
      </Fact>
    </>
  );
}

function Vendor() {
  const { draft } = useEditor();
  const options = object<ThirdPartyOptions>(draft.options.thirdPartyRuleOptions);
  return (
    <>
      <Fact label="Takes over">
        <ol className={classes.viewList}>
          {list<ThirdPartyOptions["rootQueries"][number]>(options.rootQueries).map((root, index) => (
            <li key={index}>
              <code>{root.query}</code>
              {list<string>(root.groupByFields).length > 0 && <span className={classes.dim}> for each {list<string>(root.groupByFields).join(", ")}</span>}
            </li>
          ))}
        </ol>
      </Fact>
      <Fact label="Severity">
        <ol className={classes.viewList}>
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
          <ol className={classes.viewList}>
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

function counts(aggregation: string, fields: string[]): string {
  if (aggregation === "count" || aggregation === "event_count") return fields.length > 0 ? `, compares ${fields.join(", ")}` : "";
  if (aggregation === "new_value") return `, new values of ${fields.join(", ")}`;
  if (aggregation === "geo_data") return ", by location";
  const label = AGGREGATIONS.threshold?.find((each) => each.value === aggregation)?.label ?? aggregation;
  return `, ${label.toLowerCase()} of ${fields.join(", ")}`;
}

const spaced = (name: string): string => name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
