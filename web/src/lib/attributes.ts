/** Reading nested attributes by their dotted paths. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What stands at `usr.id`; dotted keys and nested ones are the same path. */
export function valueAt(value: unknown, path: string): unknown {
  if (path === "") return value;
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, path)) return value[path]; // not `in`: senders may name an attribute `constructor`
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const head = path.slice(0, dot);
    if (Object.hasOwn(value, head)) {
      const found = valueAt(value[head], path.slice(dot + 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The scalars at a path as text; lists give all of theirs. */
export function textsAt(value: unknown, path: string): string[] {
  const found = valueAt(value, path);
  const items = Array.isArray(found) ? (found as unknown[]) : [found];
  return items.filter((item) => item !== undefined && item !== null && !isObject(item)).map((item) => scalarText(item));
}

export function textAt(value: unknown, path: string): string {
  return textsAt(value, path)[0] ?? "";
}

/** Every scalar, or list of scalars, with its path, in the order of the object. */
export function flatten(value: unknown, prefix = ""): [string, unknown][] {
  if (isObject(value)) {
    return Object.entries(value).flatMap(([key, member]) => flatten(member, prefix === "" ? key : `${prefix}.${key}`));
  }
  if (Array.isArray(value) && value.some(isObject)) {
    return value.flatMap((member: unknown, index) => flatten(member, `${prefix}[${String(index)}]`));
  }
  return value === null || value === undefined || prefix === "" ? [] : [[prefix, value]];
}

export function scalarText(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
}
