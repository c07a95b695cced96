import { useCallback, useLayoutEffect, useRef, useState } from "react";
import type { ExplorerHandle } from "./model";

export interface Cursor {
  /** The row that is moved to or open; null without. */
  id: string | null;
  /** Moves to a row; an open panel follows. */
  moveTo: (id: string) => void;
  open: (id: string) => void;
  close: () => void;
}

/**
 * The row that keys act on: the one last moved to. While the panel is open it is the panel's row, whatever opened it (a
 * link, the browser's back), so that no key acts on another than the one that is looked at.
 */
export function useCursor(opened: string | null, update: ExplorerHandle["update"]): Cursor {
  const [id, setId] = useState(opened);
  // Moves are seen at once and the address follows: what it says of an earlier move is no order to go back.
  const ahead = useRef<(string | null)[]>([]);
  useLayoutEffect(() => {
    const own = ahead.current.lastIndexOf(opened);
    ahead.current.splice(0, own < 0 ? ahead.current.length : own + 1);
    if (own < 0 && opened !== null) setId(opened);
  }, [opened]);

  /** What the panel will show once the address has followed. */
  const shown = useCallback(() => (ahead.current.length > 0 ? (ahead.current.at(-1) ?? null) : opened), [opened]);
  const open = useCallback(
    (next: string) => {
      setId(next);
      const before = shown();
      if (before === next) return;
      ahead.current.push(next);
      update({ event: next }, { replace: before !== null });
    },
    [shown, update],
  );
  const moveTo = useCallback((next: string) => (shown() === null ? setId(next) : open(next)), [shown, open]);
  const close = useCallback(() => {
    if (shown() === null) return;
    ahead.current.push(null);
    update({ event: null, tab: null });
  }, [shown, update]);
  return { id, moveTo, open, close };
}
