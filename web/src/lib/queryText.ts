/**
 * Facets write the query text and the text drives the facets. Only clauses that are joined by AND at the top and
 * hold plain values (`status:high`, `-host:(a OR b)`) are facet choices; everything else is left as typed.
 */
import { isObject } from "./attributes";

export interface Clause {
  /** Offsets in the text, the prefix (`-`, `NOT`) included. */
  start: number;
  end: number;
  negated: boolean;
  /** As written: `@usr.id`, `status`, `env`; empty for free text and groups. */
  field: string;
  /** The plain values, or null when the clause is a range, a wildcard, a comparison or a mixed group. */
  values: string[] | null;
}

export interface FacetSelection {
  included: string[];
  excluded: string[];
}

interface Parsed {
  clauses: Clause[];
  /** OR at the top: no clause stands for itself. */
  hasOr: boolean;
}

const SPACE = /\s/;
const PLAIN = /^[\p{L}\p{N}_.][\p{L}\p{N}_.@/-]*$/u;
const BLOCK = /^[\da-fA-F:.]+\/\d+$/;
const OPERATORS = new Set(["AND", "OR", "NOT", "TO"]);

/** A value as query text: bare when that is safe, else a phrase with `"` and `\` escaped. */
export function quoteValue(value: string): string {
  if (PLAIN.test(value) && !OPERATORS.has(value) && !BLOCK.test(value)) return value;
  return `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

/** An attribute path as a field: segments with special characters are quoted, so that the text parses. */
export function fieldOf(path: string): string {
  const segments = path.split(".").map((part) => (/^[\p{L}\p{N}_/-]+$/u.test(part) ? part : `"${part.replace(/[\\"]/g, "\\$&")}"`));
  return `@${segments.join(".")}`;
}

/** `@usr.id:ana`, `host:(web-1 OR web-2)` for fields, as rules write them, with their values; what is missing (`N/A`) says nothing. */
export function valueClauses(values: unknown): string[] {
  if (!isObject(values)) return [];
  return Object.entries(values).flatMap(([field, value]) => {
    const texts = (Array.isArray(value) ? (value as unknown[]) : [value]).filter((text): text is string => typeof text === "string" && text !== "N/A");
    if (texts.length === 0) return [];
    return [anyOf(field, texts)];
  });
}

/** `field:value`, or `field:(a OR b)`. */
export const anyOf = (field: string, values: readonly string[]): string => `${field}:${values.length === 1 ? quoteValue(values[0] ?? "") : `(${values.map(quoteValue).join(" OR ")})`}`;

export function parseClauses(text: string): Parsed {
  const clauses: Clause[] = [];
  let hasOr = false;
  let at = 0;
  while (at < text.length) {
    at = skipSpace(text, at);
    if (at >= text.length) break;
    const word = operatorAt(text, at);
    if (word === "AND" || word === "&&") {
      at += word.length;
    } else if (word === "OR" || word === "||") {
      hasOr = true;
      at += word.length;
    } else {
      const clause = readClause(text, at);
      clauses.push(clause);
      at = Math.max(clause.end, at + 1);
    }
  }
  return { clauses, hasOr };
}

/** What the text says about one facet. */
export function facetSelection(text: string, field: string): FacetSelection {
  const included: string[] = [];
  const excluded: string[] = [];
  for (const clause of choices(text, field)) {
    const list = clause.negated ? excluded : included;
    for (const value of clause.values ?? []) if (!list.includes(value)) list.push(value);
  }
  return { included, excluded };
}

/** Adds a value to the facet's choice, or takes it away when it is there. */
export function toggleValue(text: string, field: string, value: string): string {
  const { included, excluded } = facetSelection(text, field);
  const next = included.includes(value) ? included.filter((other) => other !== value) : [...included, value];
  return writeSelection(text, field, { included: next, excluded: excluded.filter((other) => other !== value) });
}

/** Only this value of the facet. */
export function onlyValue(text: string, field: string, value: string): string {
  return writeSelection(text, field, { included: [value], excluded: [] });
}

/** Adds or removes `-field:value`. */
export function toggleExcluded(text: string, field: string, value: string): string {
  const { included, excluded } = facetSelection(text, field);
  const next = excluded.includes(value) ? excluded.filter((other) => other !== value) : [...excluded, value];
  return writeSelection(text, field, { included: included.filter((other) => other !== value), excluded: next });
}

export function clearFacet(text: string, field: string): string {
  return writeSelection(text, field, { included: [], excluded: [] });
}

/** The top-level clauses as typed, each with the text that remains without it; for "drop this filter". */
export function droppable(text: string): { clause: string; without: string }[] {
  const { clauses, hasOr } = parseClauses(text);
  if (hasOr || clauses.length === 0) return text.trim() === "" ? [] : [{ clause: text.trim(), without: "" }];
  return clauses.map((clause) => ({ clause: text.slice(clause.start, clause.end), without: cut(text, [clause]) }));
}

export function writeSelection(text: string, field: string, selection: FacetSelection): string {
  const { hasOr } = parseClauses(text);
  const rest = hasOr ? text : cut(text, choices(text, field));
  const added: string[] = [];
  if (selection.included.length > 0) added.push(`${field}:${group(selection.included)}`);
  if (selection.excluded.length > 0) added.push(`-${field}:${group(selection.excluded)}`);
  return joinAnd(rest, hasOr, added);
}

function choices(text: string, field: string): Clause[] {
  const { clauses, hasOr } = parseClauses(text);
  return hasOr ? [] : clauses.filter((clause) => clause.field === field && clause.values !== null);
}

function group(values: string[]): string {
  const [first] = values;
  return values.length === 1 && first !== undefined ? quoteValue(first) : `(${values.map(quoteValue).join(" OR ")})`;
}

function joinAnd(text: string, hasOr: boolean, added: string[]): string {
  const rest = text.trim();
  if (added.length === 0) return rest;
  if (rest === "" || rest === "*") return added.join(" ");
  return [hasOr ? `(${rest})` : rest, ...added].join(" ");
}

/** The text without these clauses and without the AND that joined them. */
function cut(text: string, clauses: Clause[]): string {
  let rest = text;
  for (const clause of clauses.toSorted((left, right) => right.start - left.start)) {
    let before = rest.slice(0, clause.start);
    let after = rest.slice(clause.end);
    if (/(^|\s)(AND|&&)\s*$/.test(before)) before = before.replace(/(AND|&&)\s*$/, "");
    else if (/^\s*(AND|&&)(\s|$)/.test(after)) after = after.replace(/^\s*(AND|&&)/, "");
    rest = `${before.trimEnd()} ${after.trimStart()}`.trim();
  }
  return rest;
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && SPACE.test(text.charAt(at))) at += 1;
  return at;
}

function operatorAt(text: string, at: number): string | null {
  for (const word of ["AND", "OR", "NOT", "&&", "||"]) {
    if (text.startsWith(word, at) && /^([\s()]|$)/.test(text.charAt(at + word.length))) return word;
  }
  return null;
}

function readClause(text: string, start: number): Clause {
  let at = start;
  let negated = false;
  for (;;) {
    const char = text.charAt(at);
    if (char === "-" || char === "!" || char === "+") {
      if (char !== "+") negated = !negated;
      at = skipSpace(text, at + 1);
    } else if (operatorAt(text, at) === "NOT") {
      negated = !negated;
      at = skipSpace(text, at + 3);
    } else break;
  }
  if (text.charAt(at) === "(") return { start, end: closing(text, at), negated, field: "", values: null };
  const call = /^(?:CIDR|ANYCASE|REGEX)\(/.exec(text.slice(at, at + 8));
  if (call) return { start, end: closing(text, at + call[0].length - 1), negated, field: "", values: null };
  const colon = fieldEnd(text, at);
  if (colon === null) return { start, end: termEnd(text, at), negated, field: "", values: null };
  const field = text.slice(at, colon);
  at = skipSpace(text, colon + 1);
  const char = text.charAt(at);
  if (char === "(") {
    const end = closing(text, at);
    return { start, end, negated, field, values: groupValues(text.slice(at + 1, end - 1)) };
  }
  if (char === "[" || char === "{") return { start, end: rangeEnd(text, at), negated, field, values: null };
  const end = termEnd(text, at);
  const value = plainValue(text.slice(at, end));
  return { start, end, negated, field, values: value === null ? null : [value] };
}

/** The offset of the colon that ends a field, or null when the term has none. */
function fieldEnd(text: string, at: number): number | null {
  for (let index = at; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === "\\") index += 1;
    else if (char === '"') {
      if (index === at) return null;
      index = phraseEnd(text, index) - 1;
    } else if (char === ":") return index > at ? index : null;
    else if (SPACE.test(char) || char === "(" || char === ")") return null;
  }
  return null;
}

function termEnd(text: string, at: number): number {
  for (let index = at; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === "\\") index += 1;
    else if (char === '"') index = phraseEnd(text, index) - 1;
    else if (SPACE.test(char) || char === ")" || char === "(") return index;
  }
  return text.length;
}

function phraseEnd(text: string, at: number): number {
  for (let index = at + 1; index < text.length; index += 1) {
    if (text.charAt(index) === "\\") index += 1;
    else if (text.charAt(index) === '"') return index + 1;
  }
  return text.length;
}

function rangeEnd(text: string, at: number): number {
  const end = text.slice(at).search(/[\]}]/);
  return end < 0 ? text.length : at + end + 1;
}

/** The offset after the parenthesis that closes the one at `at`. */
function closing(text: string, at: number): number {
  let depth = 0;
  for (let index = at; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === "\\") index += 1;
    else if (char === '"') index = phraseEnd(text, index) - 1;
    else if (char === "(") depth += 1;
    else if (char === ")") {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return text.length;
}

/** The values of `a OR "b c"`, or null when the group is anything else. */
function groupValues(inner: string): string[] | null {
  const values: string[] = [];
  let at = skipSpace(inner, 0);
  while (at < inner.length) {
    if (values.length > 0) {
      const word = operatorAt(inner, at);
      if (word !== "OR" && word !== "||") return null;
      at = skipSpace(inner, at + word.length);
    }
    if (at >= inner.length || "(-!+".includes(inner.charAt(at)) || operatorAt(inner, at) !== null) return null;
    const end = termEnd(inner, at);
    const value = plainValue(inner.slice(at, end));
    if (value === null) return null;
    values.push(value);
    at = skipSpace(inner, end);
  }
  return values.length > 0 ? values : null;
}

/** The value that a term or phrase stands for, or null for wildcards, comparisons and broken text. */
function plainValue(term: string): string | null {
  if (term.startsWith('"')) {
    if (term.length < 2 || phraseEnd(term, 0) !== term.length || !term.endsWith('"')) return null;
    return term.slice(1, -1).replace(/\\(.)/gsu, "$1");
  }
  if (term === "" || /^[<>]/.test(term) || BLOCK.test(term)) return null;
  let value = "";
  for (let index = 0; index < term.length; index += 1) {
    const char = term.charAt(index);
    if (char === "\\") {
      index += 1;
      if (index >= term.length) return null;
      value += term.charAt(index);
    } else if ('*?":[]{}<>'.includes(char)) return null;
    else value += char;
  }
  return value;
}
