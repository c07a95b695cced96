import { Skeleton } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { patiently } from "@/api/connection";
import { CopyJson } from "@/components/JsonView";
import { useEditor } from "./editor";
import { same, type RuleDraft } from "./ruleDraft";
import classes from "./json.module.css";
import tab from "./tab.module.css";

const JsonEditor = lazy(patiently(() => import("./JsonEditor")));

/** Every member of the rule as JSON; what is well-formed is at once what the form shows. */
export function RuleJson() {
  const { draft, replace, readOnly, faults, hints } = useEditor();
  const [text, setText] = useState(() => JSON.stringify(draft, null, 2));
  const [fault, setFault] = useState<string | null>(null);
  const [shown, setShown] = useState(draft);
  if (shown !== draft) {
    setShown(draft);
    // Discarded, loaded anew or switched in the header: the text follows. What is typed here is the draft already.
    if (fault === null && !same(parsed(text), JSON.parse(JSON.stringify(draft)))) setText(JSON.stringify(draft, null, 2));
  }
  const change = (next: string) => {
    setText(next);
    try {
      const value: unknown = JSON.parse(next);
      const wrong = shapeFault(value);
      setFault(wrong);
      if (wrong === null) replace(value as RuleDraft);
    } catch (error) {
      setFault(error instanceof Error ? error.message : "This is not JSON");
    }
  };
  return (
    <div className={classes.json}>
      <div className={tab.head}>
        <span className={fault ? classes.fault : classes.dim} role={fault ? "alert" : undefined}>
          {fault ? `${fault}. The form keeps what it has until this is right.` : "All members, in the shape of the API."}
        </span>
        <CopyJson value={draft} />
      </div>
      <Suspense fallback={<Skeleton height={420} radius={4} />}>
        <JsonEditor label="Rule as JSON" value={text} readOnly={readOnly} faults={faults} hints={hints} onChange={change} />
      </Suspense>
      {faults.length > 0 && (
        <ul className={classes.faults}>
          {faults.map((each, index) => (
            <li key={index}>
              <code>{each.target}</code> {each.message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

/** What the form relies on; the rest is the server's to judge. */
export function shapeFault(value: unknown): string | null {
  if (!isObject(value)) return "A rule is an object";
  const rule = value as Record<string, unknown>;
  for (const name of ["name", "message"]) if (typeof rule[name] !== "string") return `“${name}” must be a text`;
  for (const name of ["queries", "cases", "tags"]) if (!Array.isArray(rule[name])) return `“${name}” must be a list`;
  for (const name of ["queries", "cases", "thirdPartyCases", "referenceTables", "calculatedFields", "filters"]) if (Array.isArray(rule[name]) && !rule[name].every(isObject)) return `“${name}” must hold objects`;
  if (!(rule.tags as unknown[]).every((tag) => typeof tag === "string")) return "“tags” must hold texts";
  if (!isObject(rule.options)) return "“options” must be an object";
  const holed = ["cases", "options"].find((name) => hasNull(rule[name]));
  return holed === undefined ? null : `“${holed}” has a list that holds null`;
}

/** Whether some list in it holds null. */
function hasNull(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((item) => item === null || hasNull(item));
  return typeof value === "object" && value !== null && Object.values(value).some(hasNull);
}
