/** The line of a sequence's steps, read from its transitions, and changes to it that keep it a line. */
import type { SequenceStepBody, SequenceTransitionBody } from "@/api/generated/types.gen";
import { removeAt, replaceAt } from "./ruleDraft";

interface Line {
  steps: SequenceStepBody[];
  stepTransitions: SequenceTransitionBody[];
}

const WAIT_SECONDS = 900;
const WINDOW_SECONDS = 300;

/** Positions of the steps from the first to the last; null if the transitions make no line of them all. */
export function chainOf(steps: readonly SequenceStepBody[], transitions: readonly SequenceTransitionBody[]): number[] | null {
  const at = (name: string | null | undefined) => steps.findIndex((step) => step.name === name);
  const first = steps.findIndex((step) => !transitions.some((each) => each.child === step.name));
  const chain = first < 0 ? [] : [first];
  while (chain.length <= steps.length) {
    const name = steps[chain.at(-1) ?? -1]?.name;
    const next = transitions.filter((each) => each.parent === name);
    if (next.length === 0) break;
    const child = at(next[0]?.child);
    if (next.length > 1 || child < 0 || chain.includes(child)) return null;
    chain.push(child);
  }
  return chain.length === steps.length && transitions.length === Math.max(0, steps.length - 1) ? chain : null;
}

/** The position of the transition that a step is the parent of. */
export function waitAfter(step: SequenceStepBody, transitions: readonly SequenceTransitionBody[]): number | null {
  const found = transitions.findIndex((each) => each.parent === step.name);
  return found < 0 ? null : found;
}

/** A step's new name, in its transitions as well. */
export function renamed(steps: readonly SequenceStepBody[], transitions: readonly SequenceTransitionBody[], at: number, name: string): Line {
  const before = steps[at]?.name;
  const follow = (end: string | null | undefined) => (end === before ? name : end);
  return {
    steps: replaceAt(steps, at, { name }),
    stepTransitions: transitions.map((each) => ({ ...each, ...(each.parent === before ? { parent: follow(each.parent) } : {}), ...(each.child === before ? { child: follow(each.child) } : {}) })),
  };
}

export function appended(steps: readonly SequenceStepBody[], transitions: readonly SequenceTransitionBody[], chain: readonly number[]): Line {
  const taken = new Set(steps.map((step) => step.name));
  let name = "step";
  for (let letter = 97; letter < 123; letter++) {
    name = `step_${String.fromCharCode(letter)}`;
    if (!taken.has(name)) break;
  }
  const parent = steps[chain.at(-1) ?? -1]?.name;
  return {
    steps: [...steps, { name, condition: "", evaluationWindow: WINDOW_SECONDS }],
    stepTransitions: parent ? [...transitions, { parent, child: name, evaluationWindow: WAIT_SECONDS }] : [...transitions],
  };
}

/** Without the last step. */
export function shortened(steps: readonly SequenceStepBody[], transitions: readonly SequenceTransitionBody[], chain: readonly number[]): Line {
  const last = chain.at(-1) ?? steps.length - 1;
  return { steps: removeAt(steps, last), stepTransitions: transitions.filter((each) => each.child !== steps[last]?.name) };
}
