import { useRouter } from "@tanstack/react-router";
import type { MouseEvent, ReactNode } from "react";

/** And not one that the browser is to answer, in a new tab for instance. */
export const isPlainClick = (event: MouseEvent): boolean => event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;

/** A link to an address of this app given as text; opens without a page load, and in a new tab when asked to. */
export function AppLink({ to, children, className, title, label, current = false }: { to: string; children: ReactNode; className?: string; title?: string; label?: string; current?: boolean }) {
  const router = useRouter();
  const onClick = (event: MouseEvent) => {
    if (!isPlainClick(event)) return;
    event.preventDefault();
    event.stopPropagation();
    router.history.push(to);
  };
  return (
    <a href={to} className={className} title={title} aria-label={label} aria-current={current ? "page" : undefined} onClick={onClick}>
      {children}
    </a>
  );
}
