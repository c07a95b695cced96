import { ActionIcon, Button, Select, TagsInput, TextInput } from "@mantine/core";
import { Icon } from "@/components/icons";
import type { Severity } from "@/lib/severity";
import { useEditor, useField } from "../editor";
import { list, moveUp, removeAt, replaceAt, text, type ThirdPartyCase, type ThirdPartyOptions } from "../ruleDraft";
import classes from "../rules.module.css";
import { SEVERITY_OPTIONS } from "./CasesPart";
import { FieldsInput } from "./FieldsInput";
import { useOptions } from "./inputs";
import { Fault, Part } from "./Part";
import { QueryField } from "./QueryField";

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
      aside={
        !fixed &&
        roots.length < MAX && (
          <Button variant="default" leftSection={<Icon name="plus" size={12} />} onClick={() => write([...roots, { query: "", groupByFields: [] }])}>
            Add a root query
          </Button>
        )
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
                <QueryField label={`Root query ${number}`} placeholder="source:crowdstrike" target={`${target}.query`} disabled={fixed} value={text(root.query)} onChange={(query) => write(replaceAt(roots, index, { query }))} />
              </div>
              {!fixed && roots.length > 1 && (
                <ActionIcon aria-label={`Remove root query ${number}`} onClick={() => write(removeAt(roots, index))}>
                  <Icon name="trash" />
                </ActionIcon>
              )}
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
      aside={
        !fixed &&
        cases.length < MAX && (
          <Button variant="default" leftSection={<Icon name="plus" size={12} />} onClick={() => write([...cases, { name: "", status: "high", query: "", notifications: [] }])}>
            Add a case
          </Button>
        )
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
            <div className={classes.case}>
              <Select size="xs" aria-label={`Severity of case ${number}`} w={110} data={SEVERITY_OPTIONS} allowDeselect={false} disabled={readOnly} value={each.status} {...field(`${target}.status`)} onChange={(status) => status && set({ status: status as Severity })} />
              <div className={classes.grow}>
                <QueryField label={`Query of case ${number}`} placeholder="@vendor.level:>=8" target={`${target}.query`} disabled={fixed} value={text(each.query)} onChange={(query) => set({ query })} />
              </div>
              <TextInput size="xs" aria-label={`Name of case ${number}`} placeholder="Name, optional" w={170} disabled={fixed} value={text(each.name)} {...field(`${target}.name`)} onChange={(event) => set({ name: event.currentTarget.value })} />
              {!fixed && index > 0 && (
                <ActionIcon aria-label={`Move case ${number} up`} onClick={() => write(moveUp(cases, index))}>
                  <Icon name="chevronUp" />
                </ActionIcon>
              )}
              {!fixed && (
                <ActionIcon aria-label={`Remove case ${number}`} onClick={() => write(removeAt(cases, index))}>
                  <Icon name="trash" />
                </ActionIcon>
              )}
            </div>
            <TagsInput size="xs" label={`Recipients of case ${number}`} placeholder="@soc@example.com" splitChars={[",", " "]} disabled={readOnly} value={list<string>(each.notifications)} {...field(`${target}.notifications`)} onChange={(notifications) => set({ notifications })} />
          </fieldset>
        );
      })}
      <div className={classes.fields}>
        <Select size="xs" label="Severity of all others" data={SEVERITY_OPTIONS} allowDeselect={false} disabled={fixed} value={value.defaultStatus ?? null} {...field(`${PLACE}.defaultStatus`)} onChange={(status) => status && change({ defaultStatus: status as Severity })} />
        <TagsInput size="xs" label="Recipients of all others" placeholder="@soc@example.com" splitChars={[",", " "]} disabled={fixed} value={list<string>(value.defaultNotifications)} {...field(`${PLACE}.defaultNotifications`)} onChange={(defaultNotifications) => change({ defaultNotifications })} />
      </div>
    </Part>
  );
}
