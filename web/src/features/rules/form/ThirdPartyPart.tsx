import { Select, TextInput } from "@mantine/core";
import type { Severity } from "@/lib/severity";
import { useEditor, useField } from "../editor";
import { list, moveUp, removeAt, replaceAt, text, type ThirdPartyCase, type ThirdPartyOptions } from "../ruleDraft";
import classes from "./form.module.css";
import { CaseRow, SEVERITY_OPTIONS } from "./CaseRow";
import { FieldsInput } from "./FieldsInput";
import { useOptions } from "./inputs";
import { AddItem, Fault, Part } from "./Part";
import { QueryField } from "./QueryField";
import { Recipients } from "./Recipients";
import { RowEnd } from "./RowEnd";

const MAX = 10;
const PLACE = "options.thirdPartyRuleOptions";

/** Which alerts of another product are taken over, and how severe each is (siem.md §2.18). */
export function ThirdPartyPart() {
  return (
    <>
      <Roots />
      <VendorCases />
    </>
  );
}

function Roots() {
  const { fixed } = useEditor();
  const field = useField();
  const { value, change } = useOptions<ThirdPartyOptions>("thirdPartyRuleOptions");
  const roots = list<ThirdPartyOptions["rootQueries"][number]>(value.rootQueries);
  const write = (rootQueries: ThirdPartyOptions["rootQueries"]) => change({ rootQueries });
  return (
    <Part
      title="Alerts"
      target={PLACE}
      aside={
        !fixed &&
        roots.length < MAX && <AddItem onClick={() => write([...roots, { query: "", groupByFields: [] }])}>Add a root query</AddItem>
      }
    >
      <p className={classes.dim}>The first root query that finds a log counts. Grouped, a signal takes in the alerts of 24 hours with the same values; else each alert is a signal.</p>
      <Fault>{field(`${PLACE}.rootQueries`).error}</Fault>
      {roots.map((root, index) => {
        const target = `${PLACE}.rootQueries[${String(index)}]`;
        const number = String(index + 1);
        return (
          <fieldset key={index} className={classes.query}>
            <legend className="visually-hidden">Root query {number}</legend>
            <div className={classes.queryHead}>
              <span className={classes.label}>{number}</span>
              <div className={classes.grow}>
                <QueryField label={`Root query ${number}`} hideLabel placeholder="source:crowdstrike" target={`${target}.query`} disabled={fixed} value={text(root.query)} onChange={(query) => write(replaceAt(roots, index, { query }))} />
              </div>
              {!fixed && roots.length > 1 && <RowEnd what={`root query ${number}`} onRemove={() => write(removeAt(roots, index))} />}
            </div>
            <FieldsInput label="Grouped by" placeholder="@device.id" target={`${target}.groupByFields`} disabled={fixed} value={list<string>(root.groupByFields)} onChange={(groupByFields) => write(replaceAt(roots, index, { groupByFields }))} />
          </fieldset>
        );
      })}
      <TextInput size="xs" label="Title of the signals" description="A template; empty: the rule's name with the case's" placeholder="{{@alert.title}} on {{@device.id}}" classNames={{ input: classes.mono }} disabled={fixed} value={text(value.signalTitleTemplate)} {...field(`${PLACE}.signalTitleTemplate`)} onChange={(event) => change({ signalTitleTemplate: event.currentTarget.value })} />
    </Part>
  );
}

function VendorCases() {
  const { draft, edit, fixed, readOnly } = useEditor();
  const field = useField();
  const { value, change } = useOptions<ThirdPartyOptions>("thirdPartyRuleOptions");
  const cases = list<ThirdPartyCase>(draft.thirdPartyCases);
  const write = (thirdPartyCases: ThirdPartyCase[]) => edit({ thirdPartyCases });
  return (
    <Part
      title="Cases"
      target="thirdPartyCases"
      aside={
        !fixed &&
        cases.length < MAX && <AddItem onClick={() => write([...cases, { name: "", status: "high", query: "", notifications: [] }])}>Add a case</AddItem>
      }
    >
      <p className={classes.dim}>The first case whose query finds the alert decides its severity; what no case takes has the one below.</p>
      <Fault>{field("thirdPartyCases").error}</Fault>
      {cases.map((each, index) => {
        const target = `thirdPartyCases[${String(index)}]`;
        const number = String(index + 1);
        const set = (next: Partial<ThirdPartyCase>) => write(replaceAt(cases, index, next));
        return (
          <fieldset key={index} className={classes.query}>
            <legend className="visually-hidden">Case {number}</legend>
            <CaseRow
              target={target}
              number={number}
              severity={each.status}
              name={text(each.name)}
              onSeverity={(status) => set({ status })}
              onName={(name) => set({ name })}
              onUp={index > 0 ? () => write(moveUp(cases, index)) : undefined}
              onRemove={() => write(removeAt(cases, index))}
            >
              <div className={classes.grow}>
                <QueryField label={`Query of case ${number}`} hideLabel placeholder="@vendor.level:>=8" target={`${target}.query`} disabled={fixed} value={text(each.query)} onChange={(query) => set({ query })} />
              </div>
            </CaseRow>
            <Recipients label={`Recipients of case ${number}`} target={`${target}.notifications`} disabled={readOnly} value={each.notifications} onChange={(notifications) => set({ notifications })} />
          </fieldset>
        );
      })}
      <div className={classes.fields}>
        <Select size="xs" label="Severity of all others" data={SEVERITY_OPTIONS} allowDeselect={false} disabled={fixed} value={value.defaultStatus ?? null} {...field(`${PLACE}.defaultStatus`)} onChange={(status) => status && change({ defaultStatus: status as Severity })} />
        <Recipients label="Recipients of all others" target={`${PLACE}.defaultNotifications`} disabled={fixed} value={value.defaultNotifications} onChange={(defaultNotifications) => change({ defaultNotifications })} />
      </div>
    </Part>
  );
}
