import { ActionIcon } from "@mantine/core";
import { useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { recall, remember } from "@/lib/storage";
import { useHotkeys } from "./hotkeys";
import { Icon } from "./icons";
import classes from "./SidePanel.module.css";

const LEAST = 380;
const STEP = 24;
/** Until somebody chooses another: what reads well, and leaves the list its part of a small screen. */
const WIDTH = 580;
const SHARE = 0.38;

interface Props {
  label: string;
  header: ReactNode;
  children: ReactNode;
  onClose: () => void;
  /** To the row before or after, where there is one. */
  onStep?: (by: 1 | -1) => void;
}

/** Beside the list, never over it; as wide as the person likes; closed by Esc, never by a click elsewhere. */
export function SidePanel({ label, header, children, onClose, onStep }: Props) {
  const [width, setWidth] = useState(() => clamp(Number(recall("panel-width")) || Math.min(WIDTH, window.innerWidth * SHARE)));
  const panel = useRef<HTMLElement>(null);

  useHotkeys([{ keys: ["Escape"], label: "Close the panel, back to the row", group: "Panel", run: onClose }]);

  const resize = (next: number) => {
    setWidth(clamp(next));
    remember("panel-width", String(clamp(next)));
  };
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    const right = panel.current?.getBoundingClientRect().right ?? window.innerWidth;
    const move = (moved: globalThis.PointerEvent) => resize(right - moved.clientX);
    const stop = () => handle.removeEventListener("pointermove", move);
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", stop, { once: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") resize(width + STEP);
    else if (event.key === "ArrowRight") resize(width - STEP);
    else return;
    event.preventDefault();
  };
  return (
    <aside ref={panel} className={classes.panel} style={{ width }} aria-label={label}>
      <div
        role="separator"
        tabIndex={0}
        aria-orientation="vertical"
        aria-label="Width of the panel"
        aria-valuenow={width}
        aria-valuemin={LEAST}
        aria-valuemax={most()}
        className={classes.handle}
        onPointerDown={drag}
        onKeyDown={onKeyDown}
      />
      <header className={classes.header}>
        <div className={classes.title}>{header}</div>
        <div className={classes.controls}>
          {onStep && (
            <>
              <ActionIcon aria-label="Previous" title="Previous (k)" onClick={() => onStep(-1)}>
                <Icon name="chevronUp" />
              </ActionIcon>
              <ActionIcon aria-label="Next" title="Next (j)" onClick={() => onStep(1)}>
                <Icon name="chevronDown" />
              </ActionIcon>
            </>
          )}
          <ActionIcon aria-label="Close the panel" title="Close (Esc)" onClick={onClose}>
            <Icon name="close" />
          </ActionIcon>
        </div>
      </header>
      <div className={classes.body}>{children}</div>
    </aside>
  );
}

const most = (): number => Math.max(LEAST, Math.round(window.innerWidth * 0.7));
const clamp = (width: number): number => Math.round(Math.max(LEAST, Math.min(most(), width)));
