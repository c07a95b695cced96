import type { ReactNode } from "react";
import page from "./Page.module.css";
import { PageBar } from "./PageBar";
import { SearchField, type SearchFieldProps } from "./SearchField";

interface Props {
  title: string;
  crumb?: { to: string; label: string };
  search?: SearchFieldProps;
  /** How many there are, or what they are for. */
  about?: ReactNode;
  actions?: ReactNode;
  /** Between the top and the list. */
  below?: ReactNode;
  /** Beside the list: what is open. */
  panel?: ReactNode;
  /** Forms that lie above everything. */
  overlay?: ReactNode;
  children: ReactNode;
}

/** A title, a search, what can be done, and below them a list with perhaps one of its rows open beside it. */
export function ListPage({ title, crumb, search, about, actions, below, panel, overlay, children }: Props) {
  return (
    <div className={page.page}>
      <PageBar title={title} crumb={crumb} actions={actions}>
        {search && <SearchField {...search} />}
        {about && <span className={page.dim}>{about}</span>}
      </PageBar>
      {below}
      <div className={page.split}>
        {children}
        {panel}
      </div>
      {overlay}
    </div>
  );
}
