import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { checkQuery } from "@/api/explore";
import type { Hint, Track } from "@/api/types";
import { Icon } from "@/components/icons";
import { useHotkeys } from "@/components/hotkeys";
import { useTyped } from "@/components/useTyped";
import { rememberSearch } from "@/lib/storage";
import { LazyQueryEditor } from "./LazyQueryEditor";
import classes from "./QueryBox.module.css";

export interface EditorHandle {
  focus: () => void;
}

const NO_HINTS: Hint[] = [];

interface Props {
  track: Track;
  label: string;
  placeholder: string;
  value: string;
  /** ISO times that completion counts in. */
  from: string;
  to: string;
  onSubmit: (query: string) => void;
}

/** The search bar: completion, errors at the character, hints with their fix. Facets write its text. */
export function QueryBox({ track, label, placeholder, value, from, to, onSubmit }: Props) {
  const { text: draft, setText: setDraft, willSend } = useTyped(value);
  const [settled] = useDebouncedValue(draft, 200);
  const check = useQuery({ ...checkQuery(track, settled), enabled: settled.trim() !== "" });
  const verdict = settled === draft && draft.trim() !== "" ? check.data : undefined;
  const fault = verdict?.fault ?? null;
  const hint = verdict?.hints[0];
  const editor = useRef<EditorHandle | null>(null);
  const box = useRef<HTMLDivElement>(null);

  useHotkeys([{ keys: ["/"], label: "Search", group: "Everywhere", run: () => (editor.current ? editor.current.focus() : box.current?.querySelector("input")?.focus()) }]);

  const submit = (query: string) => {
    const wanted = query.trim();
    rememberSearch(track, wanted, Date.now());
    setDraft(wanted);
    willSend(wanted);
    onSubmit(wanted);
  };
  const fix = fault?.fix ?? hint?.fix;

  // Facets and chips change the text while it has the focus nowhere: nothing to keep.
  useEffect(() => {
    box.current?.setAttribute("data-dirty", String(draft !== value));
  }, [draft, value]);

  return (
    <div className={classes.box} ref={box} data-invalid={fault ? "true" : undefined}>
      <span className={classes.icon}>
        <Icon name="search" />
      </span>
      <LazyQueryEditor
        ref={editor}
        plainClass={classes.plain}
        track={track}
        label={label}
        placeholder={placeholder}
        value={draft}
        from={from}
        to={to}
        fault={fault}
        hints={verdict?.hints ?? NO_HINTS}
        onChange={setDraft}
        onSubmit={submit}
      />
      {draft !== "" && (
        <button type="button" className={classes.clear} aria-label="Clear the search" onClick={() => submit("")}>
          <Icon name="close" size={14} />
        </button>
      )}
      {draft !== value && !fault && (
        <button type="button" className={classes.run} onClick={() => submit(draft)}>
          Search <kbd>↵</kbd>
        </button>
      )}
      {(fault ?? hint) && (
        <div className={fault ? classes.fault : classes.hint} role={fault ? "alert" : "status"}>
          <Icon name={fault ? "alert" : "help"} size={14} />
          <span>
            {fault ? `${fault.message} (at character ${String(fault.start + 1)})` : hint?.message}
          </span>
          {fix && (
            <button type="button" className="link" onClick={() => submit(fix)}>
              Use <code>{fix}</code>
            </button>
          )}
        </div>
      )}
    </div>
  );
}
