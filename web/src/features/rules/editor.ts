/** What every part of the rule form shares: the draft, how to change it, and what the server says about it. */
import { createContext, use } from "react";
import type { FieldFault } from "@/api/errors";
import type { Range } from "@/lib/time";
import type { RuleDraft } from "./ruleDraft";

export interface RuleEditor {
  draft: RuleDraft;
  edit: (change: Partial<RuleDraft>) => void;
  /** Another draft in place of this one: members may be gone. */
  replace: (draft: RuleDraft) => void;
  faults: FieldFault[];
  hints: FieldFault[];
  /** The faults are those of the draft as it stands. */
  isChecked: boolean;
  /** Nothing may be changed. */
  readOnly: boolean;
  /** Built-in rules let only some members change (api.md §4). */
  isDefault: boolean;
  /** What a built-in rule keeps, or nobody here may change. */
  fixed: boolean;
  isNew: boolean;
  range: Range;
}

export const EditorContext = createContext<RuleEditor | null>(null);

export function useEditor(): RuleEditor {
  const editor = use(EditorContext);
  if (!editor) throw new Error("a part of the rule form stands outside of it");
  return editor;
}

/** The messages about a member, or about members of it in a list: `tags` takes those of `tags[2]`. */
export function messagesAt(faults: readonly FieldFault[], target: string): string | undefined {
  const messages = faults.filter((fault) => fault.target === target || (fault.target.startsWith(`${target}[`) && /^\d+\]$/.test(fault.target.slice(target.length + 1)))).map((fault) => fault.message);
  return messages.length > 0 ? messages.join(" ") : undefined;
}

/** The messages about a member and all that it holds. */
export function messagesUnder(faults: readonly FieldFault[], target: string): string | undefined {
  const messages = faults.filter((fault) => fault.target === target || (fault.target.startsWith(target) && /^[.[]/.test(fault.target.slice(target.length)))).map((fault) => fault.message);
  return messages.length > 0 ? [...new Set(messages)].join(" ") : undefined;
}

/** What an input about a member takes: where it is, and what is wrong with it. */
export function useField(): (target: string) => { error: string | undefined; "data-target": string } {
  const { faults } = useEditor();
  return (target) => ({ error: messagesAt(faults, target), "data-target": target });
}
