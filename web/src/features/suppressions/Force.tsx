import type { Suppression } from "@/api/suppressions";
import { useNow } from "@/components/useNow";
import { forceOf } from "./draft";
import classes from "./suppressions.module.css";

/** Whether it hides anything now, in words. */
export function Force({ of }: { of: Suppression["attributes"] }) {
  const force = forceOf(of, useNow());
  return (
    <span className={classes.force} data-force={force}>
      {force}
    </span>
  );
}
