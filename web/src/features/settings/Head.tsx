import type { ReactNode } from "react";
import classes from "./settings.module.css";

/** The title of a part of the settings, what it is for, and what can be done. */
export function Head({ title, about, isPage = false, children }: { title: string; about?: string; isPage?: boolean; children?: ReactNode }) {
  const Heading = isPage ? "h1" : "h2";
  return (
    <div className={classes.head}>
      <div>
        <Heading className={classes.title}>{title}</Heading>
        {about && <p className={classes.dim}>{about}</p>}
      </div>
      {children}
    </div>
  );
}
