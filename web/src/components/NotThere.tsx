import type { ReactNode } from "react";
import { sentence } from "@/lib/format";
import page from "./Page.module.css";
import { SidePanel } from "./SidePanel";
import { EmptyState } from "./states";

/** Where a link names something that is gone, or never was. */
export function NotThere({ noun, children }: { noun: string; children?: ReactNode }) {
  return (
    <EmptyState title={`There is no such ${noun}`}>
      <p>The link is an old one, or lacks something at its end: what it names was deleted, or never was here.</p>
      {children}
    </EmptyState>
  );
}

/** The same beside the list of those that there are. */
export function NotTherePanel({ noun, onClose }: { noun: string; onClose: () => void }) {
  return (
    <SidePanel label={sentence(noun)} onClose={onClose} header={<h2 className={page.heading}>{sentence(noun)}</h2>}>
      <NotThere noun={noun} />
    </SidePanel>
  );
}
