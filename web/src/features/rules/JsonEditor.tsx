import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useEffectEvent, useRef } from "react";
import type { FieldFault } from "@/api/errors";
import { DIRECTIONS } from "@/lib/format";
import { jsonPlaces, placeOf } from "@/lib/jsonPlaces";
import classes from "./json.module.css";

interface Props {
  label: string;
  value: string;
  readOnly: boolean;
  faults: FieldFault[];
  hints: FieldFault[];
  onChange: (text: string) => void;
}

/** JSON with line numbers, and what the server says at the members it speaks of. */
export default function JsonEditor({ label, value, readOnly, faults, hints, onChange }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const changed = useEffectEvent((text: string) => onChange(text));
  const initial = useEffectEvent(() => value);

  useEffect(() => {
    const editor = new EditorView({
      parent: host.current ?? undefined,
      state: EditorState.create({
        doc: initial(),
        extensions: [
          lineNumbers(),
          lintGutter(),
          history(),
          highlightSpecialChars({ addSpecialChars: DIRECTIONS }),
          drawSelection(),
          highlightActiveLine(),
          EditorView.lineWrapping,
          keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorState.readOnly.of(readOnly),
          EditorState.tabSize.of(2),
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed(update.state.doc.toString());
          }),
          theme,
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [label, readOnly]);

  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const places = jsonPlaces(value);
    const marked = (each: FieldFault, severity: Diagnostic["severity"]): Diagnostic[] => {
      const place = placeOf(places, each.target);
      return place ? [{ ...place, severity, message: each.message }] : [];
    };
    editor.dispatch(setDiagnostics(editor.state, [...faults.flatMap((each) => marked(each, "error")), ...hints.flatMap((each) => marked(each, "info"))]));
  }, [faults, hints, value]);

  return <div ref={host} className={classes.editor} />;
}

const theme = EditorView.theme({
  "&": { fontSize: "12.5px", color: "var(--text)", background: "var(--surface)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "19px" },
  ".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { background: "var(--sunken)", color: "var(--faint)", border: "0", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { background: "var(--hover)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": { background: "var(--active) !important" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--fault)", textUnderlineOffset: "3px" },
  ".cm-lintRange-info": { backgroundImage: "none", textDecoration: "underline dotted var(--dim)", textUnderlineOffset: "3px" },
  ".cm-lint-marker-error": { content: "'!'", color: "var(--fault)", fontWeight: "700" },
  ".cm-lint-marker-info": { content: "'i'", color: "var(--dim)" },
  ".cm-tooltip": { background: "var(--surface)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "var(--radius)", boxShadow: "var(--shadow)", maxWidth: "520px" },
  ".cm-diagnostic": { borderLeft: "none", padding: "4px 10px" },
});
