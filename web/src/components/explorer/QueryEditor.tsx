import { acceptCompletion, autocompletion, completionStatus, moveCompletionSelection, selectedCompletion, startCompletion, closeCompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { Annotation, EditorState, Prec, RangeSetBuilder } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, highlightSpecialChars, keymap, placeholder as placeholderText, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { useEffect, useEffectEvent, useImperativeHandle, useLayoutEffect, useRef, type Ref } from "react";
import { flushSync } from "react-dom";
import { complete } from "@/api/explore";
import type { QueryFault } from "@/api/errors";
import type { Hint, Track } from "@/api/types";
import { DIRECTIONS, formatNumber } from "@/lib/format";
import { searchHistory } from "@/lib/storage";
import { formatRelative } from "@/lib/time";
import type { EditorHandle } from "./QueryBox";
import classes from "./QueryBox.module.css";

/** Positions in the text, in characters. */
export interface Caret {
  anchor: number;
  head: number;
}

interface Props {
  ref?: Ref<EditorHandle>;
  track: Track;
  label: string;
  placeholder: string;
  value: string;
  from: string;
  to: string;
  fault: QueryFault | null;
  hints: Hint[];
  onChange: (text: string) => void;
  onSubmit: (text: string) => void;
  /** Where the person is in the input that stood in for the editor, asked once; null if they are elsewhere. */
  takeOver: () => Caret | null;
}

const HISTORY_SHOWN = 4;
/** A text that the page has set, which it therefore knows. */
const fromPage = Annotation.define<boolean>();

/** CodeMirror on one line: loaded when an explorer is first shown. */
export default function QueryEditor({ ref, track, label, placeholder, value, from, to, fault, hints, onChange, onSubmit, takeOver }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  useImperativeHandle(ref, () => ({ focus: () => view.current?.focus() }), []);

  const changed = useEffectEvent((text: string) => onChange(text));
  const submitted = useEffectEvent((text: string) => onSubmit(text));
  const suggestions = useEffectEvent((context: CompletionContext) => suggest(context, track, from, to));
  const initial = useEffectEvent(() => value);

  // Before the next key: the input that stood in is gone in the same moment.
  useLayoutEffect(() => {
    const editor = new EditorView({
      parent: host.current ?? undefined,
      state: EditorState.create({
        doc: initial(),
        extensions: [
          history(),
          highlightSpecialChars({ addSpecialChars: DIRECTIONS }),
          Prec.highest(
            keymap.of([
              {
                key: "Enter",
                run: (target) => {
                  if (completionStatus(target.state) === "active" && selectedCompletion(target.state)) return acceptCompletion(target);
                  closeCompletion(target);
                  submitted(target.state.doc.toString());
                  return true;
                },
              },
              {
                key: "Tab",
                run: (target) => {
                  if (completionStatus(target.state) !== "active") return false;
                  if (!selectedCompletion(target.state)) moveCompletionSelection(true)(target);
                  return acceptCompletion(target);
                },
              },
              {
                key: "Escape",
                run: (target) => {
                  if (completionStatus(target.state) !== null) return closeCompletion(target);
                  target.contentDOM.blur();
                  return true;
                },
              },
            ]),
          ),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          autocompletion({ override: [(context) => suggestions(context)], selectOnOpen: false, icons: false, maxRenderedOptions: 50, activateOnTypingDelay: 120 }),
          placeholderText(placeholder),
          oneLine,
          highlighter,
          editorTheme,
          EditorView.contentAttributes.of({ "aria-label": label, "aria-multiline": "false", spellcheck: "false" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) {
              const text = update.state.doc.toString();
              // At once: a value that comes back a key later would take that key away again.
              if (update.transactions.some((transaction) => transaction.annotation(fromPage))) changed(text);
              else flushSync(() => changed(text));
            }
            if (update.focusChanged && update.view.hasFocus && update.state.doc.length === 0) startCompletion(update.view);
          }),
        ],
      }),
    });
    view.current = editor;
    const caret = takeOver();
    if (caret) {
      editor.focus();
      const length = editor.state.doc.length;
      editor.dispatch({ selection: { anchor: Math.min(caret.anchor, length), head: Math.min(caret.head, length) } });
    }
    return () => editor.destroy();
  }, [label, placeholder, takeOver]);

  useLayoutEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value }, selection: { anchor: value.length }, annotations: fromPage.of(true) });
    }
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const marks: Diagnostic[] = [
      ...(fault ? [{ ...span(fault, editor.state.doc.length), severity: "error" as const, message: fault.message }] : []),
      ...hints.map((hint) => ({ ...span(hint, editor.state.doc.length), severity: "info" as const, message: hint.message })),
    ];
    editor.dispatch(setDiagnostics(editor.state, marks));
  }, [fault, hints, value]);

  return <div ref={host} className={classes.editor} />;
}

function span({ start, end }: { start: number; end: number }, length: number) {
  const from = Math.max(0, Math.min(start, length - 1));
  return { from, to: Math.min(length, Math.max(end, from + 1)) };
}

async function suggest(context: CompletionContext, track: Track, from: string, to: string): Promise<CompletionResult | null> {
  const text = context.state.doc.toString();
  const own = text.trim() === "" ? historyOptions(track, text.length) : [];
  try {
    const { data } = await complete(track, text, context.pos, from, to);
    if (context.aborted) return null;
    const options: Completion[] = data.options.map((option, index) => ({
      label: option.text || option.insert,
      detail: option.count ? formatNumber(option.count) : (option.detail ?? undefined),
      boost: 50 - index,
      apply: (view) => {
        const insert = data.kind === "field" ? (option.insert.endsWith(":") ? option.insert : `${option.insert}:`) : `${option.insert} `;
        const rest = data.kind === "value" && view.state.sliceDoc(data.end, data.end + 1) === " " ? insert.trimEnd() : insert;
        view.dispatch({ changes: { from: data.start, to: Math.max(data.end, view.state.selection.main.head), insert: rest }, selection: { anchor: data.start + rest.length } });
        if (data.kind === "field") startCompletion(view);
      },
    }));
    if (own.length + options.length === 0) return null;
    return { from: data.start, to: context.pos, options: [...own, ...options], filter: false };
  } catch {
    return own.length > 0 ? { from: 0, options: own, filter: false } : null; // completion is a help, not a duty
  }
}

function historyOptions(track: Track, length: number): Completion[] {
  const now = Date.now();
  return searchHistory(track)
    .slice(0, HISTORY_SHOWN)
    .map(({ query, at }, index) => ({
      label: query,
      detail: `searched ${formatRelative(at, now)}`,
      boost: 99 - index,
      apply: (view) => view.dispatch({ changes: { from: 0, to: length, insert: query }, selection: { anchor: query.length } }),
    }));
}

/** Pasted line breaks become blanks: a query is one line. */
const oneLine = EditorState.transactionFilter.of((transaction) => {
  if (!transaction.docChanged || transaction.newDoc.lines === 1) return transaction;
  const text = transaction.newDoc.toString().replace(/\s*\n\s*/g, " ");
  return [{ changes: { from: 0, to: transaction.startState.doc.length, insert: text }, selection: { anchor: text.length } }];
});

const KEY = Decoration.mark({ class: "cm-q-key" });
const OPERATOR = Decoration.mark({ class: "cm-q-operator" });
const VALUE = Decoration.mark({ class: "cm-q-value" });
const TOKENS = /(?<operator>(?<![^\s(])(?:AND|OR|NOT|&&|\|\||TO)(?![^\s()])|(?<![^\s(])[-!](?=\S)|[()[\]{}])|(?<phrase>"(?:\\.|[^"\\])*"?)|(?<key>(?:[@#]?(?:\\.|[\p{L}\p{N}_.*-]|"[^"]*")+):)|(?<value>(?:\\.|[^\s()"])+)/gu;

function decorate(text: string): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  let afterKey = false;
  for (const match of text.matchAll(TOKENS)) {
    const { operator, key } = match.groups ?? {};
    const end = match.index + match[0].length;
    if (operator !== undefined) builder.add(match.index, end, OPERATOR);
    else if (key !== undefined) builder.add(match.index, end, KEY);
    else if (afterKey) builder.add(match.index, end, VALUE);
    afterKey = key !== undefined || (afterKey && operator === "(") || (afterKey && !/^\s/.test(text.slice(end)) && text.charAt(end) !== "" && operator === undefined);
  }
  return builder.finish();
}

const highlighter = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = decorate(view.state.doc.toString());
    }
    update(update: ViewUpdate) {
      if (update.docChanged) this.decorations = decorate(update.state.doc.toString());
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

const editorTheme = EditorView.theme({
  "&": { fontSize: "13px", color: "var(--text)", background: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px", overflowX: "auto", scrollbarWidth: "none" },
  ".cm-content": { padding: "5px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-placeholder": { color: "var(--faint)" },
  ".cm-q-key": { color: "var(--syntax-key)" },
  ".cm-q-value": { color: "var(--syntax-value)" },
  ".cm-q-operator": { color: "var(--syntax-operator)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--fault)", textUnderlineOffset: "3px" },
  ".cm-lintRange-info": { backgroundImage: "none", textDecoration: "underline dotted var(--dim)", textUnderlineOffset: "3px" },
  ".cm-tooltip": { background: "var(--surface)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "var(--radius)", boxShadow: "var(--shadow)", zIndex: "300" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12.5px", maxHeight: "320px", minWidth: "320px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { display: "flex", gap: "16px", padding: "4px 10px", lineHeight: "18px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--active) !important", color: "var(--text) !important" },
  ".cm-completionLabel": { overflow: "hidden", textOverflow: "ellipsis" },
  ".cm-completionDetail": { marginLeft: "auto", fontStyle: "normal", color: "var(--dim)", fontFamily: "inherit" },
  ".cm-diagnostic": { borderLeft: "none", padding: "4px 10px" },
});
