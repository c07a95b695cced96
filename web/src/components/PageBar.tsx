import type { ReactNode } from "react";
import { AppLink } from "./AppLink";
import { Icon } from "./icons";
import page from "./Page.module.css";
import { useTitle } from "./useTitle";

interface Props {
  title: string;
  /** The list that this is one of. */
  crumb?: { to: string; label: string };
  children?: ReactNode;
  /** At the right: what can be done. */
  actions?: ReactNode;
}

/** The top of a page, and the title of the browser's tab. */
export function PageBar({ title, crumb, children, actions }: Props) {
  useTitle(crumb ? `${title} · ${crumb.label}` : title);
  return (
    <div className={page.bar}>
      {crumb && (
        <>
          <AppLink to={crumb.to} className={page.crumb}>
            {crumb.label}
          </AppLink>
          <Icon name="chevronRight" size={12} />
        </>
      )}
      <h1 className={`${page.title ?? ""} ${crumb ? "truncate" : ""}`}>{title}</h1>
      {children}
      {actions && <div className={page.end}>{actions}</div>}
    </div>
  );
}
