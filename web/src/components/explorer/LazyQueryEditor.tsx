import { lazy, Suspense, useCallback, useRef, type ComponentProps } from "react";
import { patiently } from "@/api/connection";
import type { Caret } from "./QueryEditor";

const QueryEditor = lazy(patiently(() => import("./QueryEditor")));

type Props = Omit<ComponentProps<typeof QueryEditor>, "takeOver"> & {
  /** How the input looks that stands in for the editor. */
  plainClass: string | undefined;
};

/** The query editor, and a plain input while it is on its way: who types meanwhile types on. */
export function LazyQueryEditor({ plainClass, ...editor }: Props) {
  const caret = useRef<Caret | null>(null);
  // The input is asked as it leaves, while it still has the focus.
  const plain = useCallback(
    (input: HTMLInputElement) => () => {
      caret.current = document.activeElement === input ? { anchor: input.selectionStart ?? 0, head: input.selectionEnd ?? 0 } : null;
    },
    [],
  );
  const takeOver = useCallback(() => {
    const was = caret.current;
    caret.current = null;
    return was;
  }, []);
  const { label, placeholder, value, onChange, onSubmit } = editor;
  return (
    <Suspense
      fallback={
        <input
          ref={plain}
          className={plainClass}
          aria-label={label}
          placeholder={placeholder}
          value={value}
          spellCheck={false}
          onChange={(event) => onChange(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") {
              event.preventDefault(); // in a form, it is the query that is ready and not the form
              onSubmit(value);
            }
            if (event.key === "Escape") event.currentTarget.blur();
          }}
        />
      }
    >
      <QueryEditor {...editor} takeOver={takeOver} />
    </Suspense>
  );
}
