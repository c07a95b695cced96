import { useEffect, useRef, useState, type DragEvent, type KeyboardEvent, type ReactNode } from "react";

interface Reorder {
  /** For the button that moves an item: drag it, or press the arrow keys on it. */
  handle: (index: number, label: string) => object;
  /** For the element of an item. */
  row: (index: number) => object;
  /** Tells screen readers where an item went; render it beside the list. */
  announcement: ReactNode;
}

/** Items in an order that people decide, by mouse and by keyboard alike. */
export function useReorder(count: number, onMove: (from: number, to: number) => void): Reorder {
  const [dragged, setDragged] = useState<number | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const [said, setSaid] = useState("");
  const refocus = useRef<{ list: Element; index: number } | null>(null);

  // An element that is moved in the document loses the focus.
  useEffect(() => {
    const wanted = refocus.current;
    if (wanted === null) return;
    refocus.current = null;
    wanted.list.querySelector<HTMLElement>(`:scope > * > [data-reorder="${String(wanted.index)}"], :scope > * > * > [data-reorder="${String(wanted.index)}"]`)?.focus();
  });

  const move = (from: number, to: number, label: string) => {
    if (to < 0 || to >= count || to === from) return;
    onMove(from, to);
    setSaid(`${label} is now ${String(to + 1)} of ${String(count)}`);
  };
  return {
    handle: (index, label) => ({
      "data-reorder": index,
      "aria-label": `Move ${label}, ${String(index + 1)} of ${String(count)}: drag, or arrow keys`,
      draggable: true,
      onDragStart: (event: DragEvent) => {
        event.stopPropagation();
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", label);
        const row = event.currentTarget.closest("[data-reorder-row]");
        if (row) event.dataTransfer.setDragImage(row, 12, 12);
        setDragged(index);
      },
      onDragEnd: () => {
        setDragged(null);
        setOver(null);
      },
      onKeyDown: (event: KeyboardEvent) => {
        const by = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
        if (by === 0) return;
        event.preventDefault();
        event.stopPropagation();
        const list = event.currentTarget.closest("[data-reorder-row]")?.parentElement;
        if (list && index + by >= 0 && index + by < count) refocus.current = { list, index: index + by };
        move(index, index + by, label);
      },
    }),
    row: (index) => ({
      "data-reorder-row": true,
      "data-drop": over === index && dragged !== null && dragged !== index ? (dragged < index ? "after" : "before") : undefined,
      onDragOver: (event: DragEvent) => {
        if (dragged === null) return; // something of another list
        event.preventDefault();
        event.stopPropagation();
        setOver(index);
      },
      onDrop: (event: DragEvent) => {
        if (dragged === null) return;
        event.preventDefault();
        event.stopPropagation();
        move(dragged, index, event.dataTransfer.getData("text/plain"));
        setDragged(null);
        setOver(null);
      },
    }),
    announcement: (
      <span className="visually-hidden" role="status">
        {said}
      </span>
    ),
  };
}
