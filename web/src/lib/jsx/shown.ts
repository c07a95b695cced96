import { straight } from "@/lib/format";

export type Props = Record<string, unknown>;

/** Properties that people read or hear; what they type, copy or follow (`value`, `href`) stays as it is. */
const READ = ["title", "aria-label", "label"] as const;

/** The properties of a new element, which nobody else has, with the texts among them made straight. */
export function shown(props: Props): Props {
  const { children } = props;
  if (typeof children === "string") props.children = straight(children);
  else if (Array.isArray(children) && children.some((child) => typeof child === "string")) props.children = children.map((child: unknown) => (typeof child === "string" ? straight(child) : child));
  for (const name of READ) if (typeof props[name] === "string") props[name] = straight(props[name]);
  return props;
}
