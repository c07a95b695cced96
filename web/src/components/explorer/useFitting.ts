import { useEffect, useMemo, useState, type RefObject } from "react";
import { fitting, type ExplorerColumn } from "./model";

/**
 * Of the columns those that a list has room for while something is open beside it, or in a narrow window, as at 200 %. Those
 * that somebody chose are all there, and the list can be scrolled.
 */
export function useFitting(list: RefObject<HTMLElement | null>, columns: ExplorerColumn[], isChosen: boolean, isBeside: boolean, taken: number): ExplorerColumn[] {
  const isAll = isChosen && !isBeside;
  const [fit, setFit] = useState<string | null>(null);
  useEffect(() => {
    const element = list.current;
    if (isAll || !element) return;
    // Only another set of columns draws the list anew, not every pixel of a panel that is drawn wider.
    const observer = new ResizeObserver(() => setFit(fitting(columns, element.clientWidth - taken, !isBeside).map((column) => column.id).join()));
    observer.observe(element);
    return () => observer.disconnect();
  }, [list, columns, isAll, isBeside, taken]);
  return useMemo(() => {
    if (isAll || fit === null) return columns;
    const ids = fit.split(",");
    return columns.filter((column) => ids.includes(column.id));
  }, [columns, isAll, fit]);
}
