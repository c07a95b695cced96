/** Where the members of a JSON text stand, by path: `queries[0].query` → the characters of its value. */

export interface Place {
  from: number;
  to: number;
}

/** Places of all values of a text that `JSON.parse` takes; an empty map otherwise. */
export function jsonPlaces(text: string): Map<string, Place> {
  const places = new Map<string, Place>();
  let at = 0;
  const space = () => {
    while (/\s/.test(text.charAt(at)) && at < text.length) at++;
  };
  const stringEnd = (from: number): number => {
    let end = from + 1;
    while (end < text.length && text.charAt(end) !== '"') end += text.charAt(end) === "\\" ? 2 : 1;
    return end + 1;
  };
  const value = (path: string): void => {
    space();
    const from = at;
    const first = text.charAt(at);
    if (first === "{" || first === "[") {
      at++;
      let index = 0;
      for (space(); at < text.length && !/[}\]]/.test(text.charAt(at)); space()) {
        let below = `${path}[${String(index)}]`;
        if (first === "{") {
          const end = stringEnd(at);
          const name = JSON.parse(text.slice(at, end)) as string;
          below = path === "" ? name : `${path}.${name}`;
          at = end;
          space();
          at++; // the colon
        }
        value(below);
        index++;
        space();
        if (text.charAt(at) === ",") at++;
      }
      at++;
    } else if (first === '"') at = stringEnd(at);
    else while (at < text.length && !/[\s,}\]]/.test(text.charAt(at))) at++;
    places.set(path, { from, to: at });
  };
  try {
    JSON.parse(text);
    value("");
  } catch {
    return new Map();
  }
  return places;
}

/** The place of a path, or of the nearest member around it that the text has. */
export function placeOf(places: ReadonlyMap<string, Place>, path: string): Place | null {
  for (let rest = path; ; rest = rest.replace(/(?:\.[^.[\]]+|\[\d+\])$/, "")) {
    const found = places.get(rest);
    if (found) return found;
    if (!/(?:\.[^.[\]]+|\[\d+\])$/.test(rest)) return places.get("") ? { from: 0, to: 1 } : null;
  }
}
