import classes from "./signals.module.css";

const SHORT: Record<string, string> = { "@usr.id": "user", "@usr.name": "user", "@network.client.ip": "ip", host: "host", "@dns.question.name": "domain" };

/** A quiet word for the kind, its first value, and how many more: as many as fit on the line. */
export function Entities({ entities }: { entities: string[] }) {
  const kinds = new Map<string, string[]>();
  for (const { field, value } of entities.map(splitEntity)) {
    const kind = SHORT[field] ?? field.split(".").at(-1) ?? field;
    const values = kinds.get(kind) ?? [];
    if (!values.includes(value)) kinds.set(kind, [...values, value]);
  }
  const sorted = [...kinds].toSorted(([left], [right]) => rank(left) - rank(right));
  return (
    <span className={classes.entities} title={entities.slice(0, 40).join("\n")}>
      {sorted.map(([kind, values]) => (
        <span key={kind} className={classes.entity}>
          <span className={classes.kind}>{kind}</span>
          {shortName(values[0] ?? "")}
          {values.length > 1 && <span className={classes.further}> +{values.length - 1}</span>}
        </span>
      ))}
    </span>
  );
}

/** The name at the end of an ARN, or the text; the title has all of it. */
const shortName = (value: string): string => (value.startsWith("arn:") ? (value.split(/[/:]/).at(-1) ?? value) : value);

const ORDER = ["user", "ip", "host"];
const rank = (kind: string): number => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);

/** The field ends at the first colon; values such as IPv6 addresses have more. */
export function splitEntity(entity: string): { field: string; value: string } {
  const colon = entity.indexOf(":");
  return colon < 0 ? { field: "", value: entity } : { field: entity.slice(0, colon), value: entity.slice(colon + 1) };
}
