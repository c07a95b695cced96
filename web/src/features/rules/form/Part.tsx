import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Icon } from "@/components/icons";
import classes from "./form.module.css";

interface Props {
  title: string;
  /** The member that it is about, for faults that no input of it is about. */
  target?: string;
  aside?: ReactNode;
  children: ReactNode;
}

/** A titled part of the rule form. */
export function Part({ title, target, aside, children }: Props) {
  return (
    <section className={classes.part} aria-label={title} data-target={target}>
      <div className={classes.partHead}>
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** One more of what a part lists. */
export function AddItem({ children, onClick }: { children: ReactNode; onClick: () => void }) {
  return (
    <Button variant="default" leftSection={<Icon name="plus" size={12} />} onClick={onClick}>
      {children}
    </Button>
  );
}

/** Messages about a member that has no input of its own. */
export function Fault({ children }: { children: string | undefined }) {
  return children ? <p className={classes.fault}>{children}</p> : null;
}
