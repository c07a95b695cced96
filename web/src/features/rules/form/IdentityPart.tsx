import { TagsInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ruleTagsQuery } from "@/api/rules";
import { attackLabel } from "@/lib/format";
import { messagesAt, useEditor, useField } from "../editor";
import { text } from "../ruleDraft";
import classes from "./form.module.css";
import { Part } from "./Part";

/** What the rule is called and tagged with. */
export function IdentityPart() {
  const { draft, edit, readOnly, isDefault, hints } = useEditor();
  const field = useField();
  const [open, setOpen] = useState(false);
  const known = useQuery({ ...ruleTagsQuery, enabled: open }).data ?? [];
  const name = isDefault ? text(draft.customName) || draft.name : draft.name;
  const remark = messagesAt(hints, "tags") ?? messagesAt(hints, isDefault ? "customName" : "name");
  return (
    <Part title="Rule">
      <TextInput size="xs" label="Name" description="The title of its signals; {{@usr.id}} and the like become their values" required withAsterisk={false} disabled={readOnly} value={name} {...field(isDefault ? "customName" : "name")} onChange={(event) => edit(isDefault ? { customName: event.currentTarget.value } : { name: event.currentTarget.value })} />
      <TagsInput
        size="xs"
        label="Tags"
        description="Signals carry them. ATT&CK: tactic:TA0006-credential-access with technique:T1110-brute-force"
        data={known.filter((tag) => !draft.tags.includes(tag))}
        renderOption={({ option }) => <TagOption tag={option.value} />}
        maxDropdownHeight={260}
        onDropdownOpen={() => setOpen(true)}
        disabled={readOnly}
        value={draft.tags}
        {...field("tags")}
        onChange={(tags) => edit({ tags })}
        splitChars={[",", " "]}
        clearable={false}
      />
      {remark && (
        <p className={classes.hint} role="status">
          {remark}
        </p>
      )}
    </Part>
  );
}

function TagOption({ tag }: { tag: string }) {
  const [, value = ""] = /^(?:tactic|technique):(.*)$/.exec(tag) ?? [];
  return (
    <span>
      {tag} {value && <span className={classes.dim}>{attackLabel(value)}</span>}
    </span>
  );
}
