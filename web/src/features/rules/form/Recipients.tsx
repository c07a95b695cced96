import { TagsInput } from "@mantine/core";
import type { RuleCase } from "@/api/types";
import { messagesUnder, useEditor, useField } from "../editor";
import { list } from "../ruleDraft";
import { FieldsInput } from "./FieldsInput";
import classes from "./form.module.css";
import { Fault } from "./Part";

interface Props {
  label: string;
  description?: string;
  target: string;
  value: unknown;
  disabled: boolean;
  onChange: (recipients: string[]) => void;
}

/** Handles of those who are told. */
export function Recipients({ label, description, target, value, disabled, onChange }: Props) {
  const field = useField();
  const recipients = list<string>(value);
  return <TagsInput size="xs" label={label} description={description} placeholder={recipients.length === 0 ? "@soc@example.com" : undefined} splitChars={[",", " "]} disabled={disabled} value={recipients} {...field(target)} onChange={onChange} />;
}

interface EveryNewValue {
  recipient: string;
  attribute: string;
}

/** Who is told of a case, and who of each new value of an attribute while its signal lives (siem.md §2.11). */
export function CaseRecipients({ each, number, target, onChange }: { each: RuleCase; number: string; target: string; onChange: (change: Partial<RuleCase>) => void }) {
  const { faults, fixed, readOnly } = useEditor();
  const recipients = list<string>(each.notifications);
  const told = list<EveryNewValue>(each.everyNewValue);
  const write = (everyNewValue: EveryNewValue[]) => onChange({ everyNewValue: everyNewValue.length > 0 ? everyNewValue : undefined } as Partial<RuleCase>);
  // Attributes of somebody who is told no more would be refused; those of a recipient stand beside them.
  const setRecipients = (notifications: string[]) => {
    const kept = told.filter(({ recipient }) => notifications.includes(recipient));
    onChange({ notifications, ...(kept.length < told.length ? { everyNewValue: kept.length > 0 ? kept : undefined } : {}) } as Partial<RuleCase>);
  };
  return (
    <div className={classes.told}>
      <Recipients label={`Recipients of case ${number}`} description="Kept with the rule and carried by its signals, nothing is sent yet: @soc@example.com, @slack-soc, @webhook-pager" target={`${target}.notifications`} disabled={readOnly} value={recipients} onChange={setRecipients} />
      {recipients.length > 0 && (
        <div className={classes.fields} data-target={`${target}.everyNewValue`}>
          {recipients.map((recipient) => (
            <FieldsInput
              key={recipient}
              label={`${recipient} is also told each new value of`}
              description="Kept for when messages are sent"
              placeholder="None; @usr.id"
              target={`${target}.everyNewValue of ${recipient}`}
              disabled={fixed}
              value={told.filter((one) => one.recipient === recipient).map((one) => one.attribute)}
              onChange={(attributes) => write([...told.filter((one) => one.recipient !== recipient), ...attributes.map((attribute) => ({ recipient, attribute }))])}
            />
          ))}
        </div>
      )}
      <Fault>{messagesUnder(faults, `${target}.everyNewValue`)}</Fault>
    </div>
  );
}
