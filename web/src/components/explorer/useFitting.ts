import { useEffect, useMemo, useState, type RefObject } from "react";
import { fitting, type ExplorerColumn } from "./model";

/** Of the chosen columns those that a list has room for while something is open beside it; else all of them. */
export function useFitting(list: RefObject<HTMLElement | null>, columns: ExplorerColumn[], isBeside: boolean, taken: number): ExplorerColumn[] {
  const [fit, setFit] = useState<string | null>(null);
  useEffect(() => {
    const element = list.current;
    if (!isBeside || !element) return;
    // Only another set of columns draws the list anew, not every pixel of a panel that is drawn wider.
    const observer = new ResizeObserver(() => setFit(fitting(columns, element.clientWidth - taken).map((column) => column.id).join()));
    observer.observe(element);
    return () => observer.disconnect();
  }, [list, columns, isBeside, taken]);
  return useMemo(() => {
    if (!isBeside || fit === null) return columns;
    const ids = fit.split(",");
    return columns.filter((column) => ids.includes(column.id));
  }, [columns, isBeside, fit]);
}
