import { Button } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { useState } from "react";
import { Icon } from "./icons";
import classes from "./JsonView.module.css";

/** JSON as a tree that folds; the first two levels are open. */
export function JsonView({ value, depth = 2 }: { value: unknown; depth?: number }) {
  return (
    <div className={classes.tree}>
      <Node value={value} name={null} depth={depth} />
    </div>
  );
}

export function CopyJson({ value, label = "Copy JSON" }: { value: unknown; label?: string }) {
  const clipboard = useClipboard();
  return (
    <Button variant="default" leftSection={<Icon name={clipboard.copied ? "check" : "copy"} size={14} />} onClick={() => clipboard.copy(JSON.stringify(value, null, 2))}>
      {clipboard.copied ? "Copied" : label}
    </Button>
  );
}

function Node({ value, name, depth }: { value: unknown; name: string | null; depth: number }) {
  const [open, setOpen] = useState(depth > 0);
  const label = name === null ? null : <span className={classes.key}>{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div className={classes.leaf}>
        {label}
        <span className={classes[value === null ? "null" : typeof value]}>{JSON.stringify(value)}</span>
      </div>
    );
  }
  const entries = Object.entries(value);
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) {
    return (
      <div className={classes.leaf}>
        {label}
        {left}
        {right}
      </div>
    );
  }
  return (
    <div>
      <button type="button" className={classes.fold} aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? "chevronDown" : "chevronRight"} size={11} />
        {label}
        {left}
        {!open && <span className={classes.size}>{entries.length}</span>}
        {!open && right}
      </button>
      {open && (
        <>
          <div className={classes.children}>
            {entries.map(([key, member]) => (
              <Node key={key} name={key} value={member} depth={depth - 1} />
            ))}
          </div>
          <div className={classes.leaf}>{right}</div>
        </>
      )}
    </div>
  );
}
