import { attackLabel } from "@/lib/format";
import classes from "./Tag.module.css";
import { ValueMenu } from "./ValueMenu";

/** A tag of an event as something to filter by; it parts at its first colon. */
export function Tag({ tag }: { tag: string }) {
  const colon = tag.indexOf(":");
  const [field, value] = colon < 0 ? ["tags", tag] : [tag.slice(0, colon), tag.slice(colon + 1)];
  const isAttack = field === "tactic" || field === "technique";
  return (
    <span className={classes.tag}>
      <ValueMenu field={field} value={value}>
        {isAttack ? attackLabel(value) : tag}
      </ValueMenu>
    </span>
  );
}

export function Tags({ tags }: { tags: string[] }) {
  return (
    <div className={classes.tags}>
      {tags.map((tag) => (
        <Tag key={tag} tag={tag} />
      ))}
    </div>
  );
}
