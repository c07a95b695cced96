import { straight } from "@/lib/format";

export type Props = Record<string, unknown>;

/** A text, or a list with one in it, at any depth: `Found {names} and more`. */
const holdsText = (child: unknown): boolean => typeof child === "string" || (Array.isArray(child) && child.some(holdsText));
const made = (child: unknown): unknown => (typeof child === "string" ? straight(child) : Array.isArray(child) ? child.map(made) : child);

/** Properties that people read or hear; what they type, copy or follow (`value`, `href`) stays as it is. */
const READ = ["title", "aria-label", "label", "description", "error", "placeholder"] as const;

/** The properties of a new element, which nobody else has, with the texts among them made straight. */
export function shown(props: Props): Props {
  if (holdsText(props.children)) props.children = made(props.children);
  for (const name of READ) if (typeof props[name] === "string") props[name] = straight(props[name]);
  return props;
}
