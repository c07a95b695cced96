import { useCallback, useEffect, useRef, useState } from "react";

/**
 * The row that keys act on: the one last moved to. While the panel is open it is the panel's row, whatever opened it (a
 * link, the browser's back), so that no key acts on another than the one that is looked at.
 */
export function useCursor(opened: string | null, open: (id: string) => void) {
  const [id, setId] = useState(opened);
  // Moves are seen at once and the address follows: what it says of an earlier move is no order to go back.
  const following = useRef<string[]>([]);
  useEffect(() => {
    if (opened === null) return;
    const own = following.current.lastIndexOf(opened);
    following.current.splice(0, own < 0 ? following.current.length : own + 1);
    if (own < 0) setId(opened);
  }, [opened]);

  const moveTo = useCallback(
    (next: string) => {
      setId(next);
      if (opened === null || opened === next) return;
      following.current.push(next);
      open(next);
    },
    [opened, open],
  );
  return { id, moveTo };
}
