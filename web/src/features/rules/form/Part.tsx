import type { ReactNode } from "react";
import classes from "../rules.module.css";

/** A titled part of the rule form. */
export function Part({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className={classes.part} aria-label={title}>
      <div className={classes.partHead}>
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Messages about a member that has no input of its own. */
export function Fault({ children }: { children: string | undefined }) {
  return children ? <p className={classes.fault}>{children}</p> : null;
}
