import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ApiError, type FieldFault } from "@/api/errors";
import { hintsQuery } from "@/api/rules";
import { isDirty, same, type RuleDraft } from "./ruleDraft";

const SETTLE_MS = 400;
const GENERAL = "Invalid rule configuration";
const NONE: FieldFault[] = [];

/** A draft with what the server says about it, asked again whenever typing pauses. */
export function useRuleDraft(original: RuleDraft, begun: RuleDraft, isChecked: (draft: RuleDraft) => boolean) {
  const [draft, setDraft] = useState<RuleDraft>(begun);
  const dirty = useMemo(() => isDirty(original, draft), [original, draft]);
  const [settled] = useDebouncedValue(draft, SETTLE_MS);
  const check = useQuery({ ...hintsQuery(settled), enabled: isChecked(settled) && settled === draft, placeholderData: undefined });
  // What was wrong a moment ago stays in sight until the server has looked again: messages do not flicker.
  const [last, setLast] = useState<{ faults: FieldFault[]; hints: FieldFault[] }>({ faults: NONE, hints: NONE });
  const told = check.error instanceof ApiError ? check.error : null;
  if (settled === draft && !check.isFetching && (check.data || told)) {
    const next = { faults: told?.fields ?? NONE, hints: check.data ? check.data.map(({ target, message }) => ({ target, message })) : last.hints };
    if (!same(next, last)) setLast(next);
  }
  const edit = (change: Partial<RuleDraft>) => setDraft((current) => ({ ...current, ...change }) as RuleDraft);
  return {
    draft,
    setDraft,
    edit,
    dirty,
    /** The faults are those of the draft as it stands, not of a moment ago. */
    isChecked: settled === draft && !check.isFetching && (check.data !== undefined || told !== null),
    faults: last.faults,
    hints: last.hints,
    /** What the check itself failed with, or says of the rule as a whole. */
    trouble: check.error && (told === null || told.fields.length === 0) ? check.error : null,
  };
}

/** What an error says beside the faults that have their own places. */
export function looseMessages(error: unknown): string[] {
  if (!(error instanceof ApiError)) return [];
  return error.messages.filter((message) => message !== GENERAL && !error.fields.some((fault) => fault.message === message));
}
