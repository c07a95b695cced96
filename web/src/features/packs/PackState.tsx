import type { Pack } from "@/api/packs";
import { STATUSES } from "./model";
import classes from "./packs.module.css";

/** The state of a pack: a word, and a mark that says how good it is. */
export function PackState({ pack }: { pack: Pack }) {
  const { word, mark } = STATUSES[pack.attributes.status];
  return (
    <span className={classes.state} data-mark={mark}>
      <span aria-hidden="true" className={classes.dot} />
      {word}
    </span>
  );
}
