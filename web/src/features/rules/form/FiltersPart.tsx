import { Button, Select } from "@mantine/core";
import { useEditor, useField } from "../editor";
import { filtersOf, folded, type RuleFilter } from "../filters";
import { readByAll } from "../preview";
import { removeAt, replaceAt, text } from "../ruleDraft";
import classes from "./form.module.css";
import { Fault, Part } from "./Part";
import { QueryField } from "./QueryField";
import { RowEnd } from "./RowEnd";

const ACTIONS = [
  { value: "require", label: "must match" },
  { value: "suppress", label: "must not match" },
];

/** Filters of a rule that has some. They are a legacy (siem.md §5.1): none are offered where there are none. */
export function FiltersPart() {
  const { draft, edit, replace, fixed } = useEditor();
  const field = useField();
  const filters = filtersOf(draft);
  if (filters.length === 0) return null;
  const write = (next: RuleFilter[]) => edit({ filters: next });
  return (
    <Part
      title="Filters"
      target="filters"
      aside={
        !fixed && (
          <Button variant="default" onClick={() => replace(folded(draft))}>
            Make them part of the queries
          </Button>
        )
      }
    >
      <p className={classes.dim}>They narrow every query of the rule, as older rules do. For exceptions with an owner and an end, use suppressions.</p>
      <Fault>{field("filters").error}</Fault>
      {filters.map((each, index) => {
        const target = `filters[${String(index)}]`;
        const number = String(index + 1);
        return (
          <div key={index} className={classes.row}>
            <Select size="xs" aria-label={`Action of filter ${number}`} w={140} allowDeselect={false} disabled={fixed} data={ACTIONS} value={each.action ?? null} {...field(`${target}.action`)} onChange={(action) => action && write(replaceAt(filters, index, { action: action as RuleFilter["action"] }))} />
            <div className={classes.grow}>
              <QueryField label={`Query of filter ${number}`} hideLabel target={`${target}.query`} track={readByAll(draft) === "signal" ? "signals" : "logs"} disabled={fixed} value={text(each.query)} onChange={(query) => write(replaceAt(filters, index, { query }))} />
            </div>
            {!fixed && <RowEnd what={`filter ${number}`} onRemove={() => write(removeAt(filters, index))} />}
          </div>
        );
      })}
    </Part>
  );
}
