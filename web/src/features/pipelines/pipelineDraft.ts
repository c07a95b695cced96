/** A pipeline while it is edited: items with keys of their own, members read and written by path, faults by place. */
import type { FieldFault } from "@/api/errors";
import type { Pipeline, PipelineDraft, PipelineStep, Processor, Sample } from "@/api/pipelines";
import { flatten, isObject, scalarText } from "@/lib/attributes";

/** A processor with a key that stays when it moves; `inner` are the processors of a nested pipeline. */
export interface Item {
  key: string;
  body: Processor;
  inner: Item[] | null;
}

export interface Draft {
  name: string;
  description: string;
  query: string;
  tags: string[];
  isEnabled: boolean;
  items: Item[];
}

export const EMPTY: Draft = { name: "", description: "", query: "", tags: [], isEnabled: true, items: [] };

let keys = 0;
const nextKey = (): string => `item-${String((keys += 1))}`;

export function itemOf(body: Processor): Item {
  const { processors, ...rest } = body;
  const isNested = body.type === "pipeline";
  return isNested ? { key: nextKey(), body: rest as Processor, inner: Array.isArray(processors) ? processors.map((each) => itemOf(each as Processor)) : [] } : { key: nextKey(), body, inner: null };
}

const processorOf = ({ body, inner }: Item): Processor => (inner === null ? body : { ...body, processors: inner.map(processorOf) });

export function draftOf(pipeline: Pipeline): Draft {
  const { name, description = "", filter, tags, is_enabled: isEnabled, processors } = pipeline;
  return { name, description, query: filter.query ?? "", tags, isEnabled, items: processors.map(itemOf) };
}

export function pipelineOf({ name, description, query, tags, isEnabled, items }: Draft): PipelineDraft {
  return { name: name.trim(), is_enabled: isEnabled, filter: { query }, tags, processors: items.map(processorOf), ...(description.trim() ? { description } : {}) };
}

export const isDirty = (original: Draft, draft: Draft): boolean => JSON.stringify(pipelineOf(original)) !== JSON.stringify(pipelineOf(draft));

export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

// Members

const ALIASES: Record<string, string> = { is_enabled: "enabled", is_encoded: "encoded", is_replace_missing: "replaceMissing" };

/** The spellings of a member: as the API has it, and as published pipelines write it. */
function spellings(name: string): string[] {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return [...new Set([name, camel, ALIASES[name] ?? name])];
}

/** What stands at `grok.match_rules`, in whichever spelling. */
export function member(body: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => {
    if (!isObject(value)) return undefined;
    const found = spellings(name).find((spelling) => value[spelling] !== undefined && value[spelling] !== null);
    return found === undefined ? undefined : value[found];
  }, body);
}

/** A copy with another value there, in the API's spelling; undefined takes the member away. */
export function withMember<T extends Record<string, unknown>>(body: T, path: string, value: unknown): T {
  const [name = "", ...rest] = path.split(".");
  const inner = member(body, name);
  const next = rest.length === 0 ? value : withMember(isObject(inner) ? inner : {}, rest.join("."), value);
  const others = Object.fromEntries(Object.entries(body).filter(([key]) => key === name || !spellings(name).includes(key)));
  if (next === undefined) return Object.fromEntries(Object.entries(others).filter(([key]) => key !== name)) as T;
  return { ...others, [name]: next } as T;
}

export const isOn = (body: Record<string, unknown>): boolean => member(body, "is_enabled") === true;

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map((each) => scalarText(each)) : [];
}

// Faults

/** The fault of a member; what is wrong inside a member stands at the member. */
export function faultAt(faults: FieldFault[], target: string): string | undefined {
  return faults.find((fault) => fault.target === target || fault.target.startsWith(`${target}.`) || fault.target.startsWith(`${target}[`))?.message;
}

/** How many faults are in a processor, and the first that no field of its form is about. */
export function faultsIn(faults: FieldFault[], where: string, fields: string[]): { count: number; loose: string | undefined } {
  const own = faults.filter((fault) => fault.target === where || fault.target.startsWith(`${where}.`));
  const loose = own.find((fault) => !fields.some((field) => faultAt([fault], `${where}.${field}`) !== undefined));
  return { count: own.length, loose: loose && (loose.target === where ? loose.message : `${loose.target.slice(where.length + 1)}: ${loose.message}`) };
}

// Trying

/** An object if it is one, else the text as it stands; null when there is nothing. */
export function sampleOf(text: string): Sample | null {
  if (text.trim() === "") return null;
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : text;
  } catch {
    return text;
  }
}

export interface Change {
  path: string;
  kind: "added" | "changed" | "removed";
  before: string;
  after: string;
}

/** What differs between two events, by path: `message`, `tags`, `@usr.id`. */
export function changesBetween(before: Record<string, unknown>, after: Record<string, unknown>): Change[] {
  const [old, now] = [texts(before), texts(after)];
  const changes: Change[] = [];
  for (const [path, text] of now) {
    const was = old.get(path);
    if (was === undefined) changes.push({ path, kind: "added", before: "", after: text });
    else if (was !== text) changes.push({ path, kind: "changed", before: was, after: text });
  }
  for (const [path, text] of old) if (!now.has(path)) changes.push({ path, kind: "removed", before: text, after: "" });
  return changes;
}

function texts(event: Record<string, unknown>): Map<string, string> {
  const { attributes, ...reserved } = event;
  return new Map([...flatten(reserved).map(([path, value]) => [path, textOf(value)] as const), ...flatten(attributes).map(([path, value]) => [`@${path}`, textOf(value)] as const)]);
}

const textOf = (value: unknown): string => (Array.isArray(value) ? value.map((each) => scalarText(each)).join(", ") : scalarText(value));

/** Each step with what it changed; a step starts where the one before ended. */
export function changesOf(before: Record<string, unknown>, steps: PipelineStep[]): { step: PipelineStep; changes: Change[] }[] {
  return steps.map((step, index) => ({ step, changes: changesBetween(steps[index - 1]?.event ?? before, step.event) }));
}

/** The samples that the grok parsers of a pipeline carry. */
export function samplesIn(items: Item[]): string[] {
  return [...new Set(items.flatMap(({ body, inner }) => [...textsOf(body.samples), ...samplesIn(inner ?? [])]))];
}
