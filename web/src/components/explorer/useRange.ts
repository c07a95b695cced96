import { useMemo, useState } from "react";
import { useZone } from "@/components/zone";
import { isRange, resolveRange, type Range, type Resolved } from "@/lib/time";

interface PageRange {
  range: Range;
  /** As moments; `now` is when the page last looked. */
  resolved: Resolved;
  lookAgain: () => void;
  setRange: (range: Range) => void;
}

/** The time that a page looks at, kept in its address. */
export function useRange(search: { from?: string; to?: string }, change: (change: { from: string; to: string }) => void, standard: Range): PageRange {
  const { zone } = useZone();
  const [anchor, setAnchor] = useState(() => Date.now());
  const asked = { from: search.from ?? "", to: search.to ?? "" };
  const range = isRange(asked, anchor) ? asked : standard;
  const { from, to } = range;
  const resolved = useMemo(() => resolveRange({ from, to }, anchor, zone, standard), [from, to, anchor, zone, standard]);
  const lookAgain = () => setAnchor(Date.now());
  const setRange = (next: Range) => {
    lookAgain();
    change({ from: next.from, to: next.to });
  };
  return { range, resolved, lookAgain, setRange };
}
