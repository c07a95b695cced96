import classes from "./signals.module.css";

const SHORT: Record<string, string> = { "@usr.id": "user", "@usr.name": "user", "@network.client.ip": "ip", host: "host", "@dns.question.name": "domain" };

/** `@usr.id:root` as a quiet label and its value; as many as fit on the line. */
export function Entities({ entities }: { entities: string[] }) {
  return (
    <span className={classes.entities}>
      {entities.slice(0, 4).map((entity) => {
        const { field, value } = splitEntity(entity);
        return (
          <span key={entity} className={classes.entity} title={entity}>
            <span className={classes.kind}>{SHORT[field] ?? field.split(".").at(-1)}</span>
            {value}
          </span>
        );
      })}
      {entities.length > 4 && <span className={classes.kind}>+{entities.length - 4}</span>}
    </span>
  );
}

/** The field ends at the first colon; values such as IPv6 addresses have more. */
export function splitEntity(entity: string): { field: string; value: string } {
  const colon = entity.indexOf(":");
  return colon < 0 ? { field: "", value: entity } : { field: entity.slice(0, colon), value: entity.slice(colon + 1) };
}
