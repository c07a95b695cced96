/** Two texts line by line: what is kept, removed and added, in the order in which a reader meets it. */

export interface DiffLine {
  kind: "kept" | "removed" | "added";
  text: string;
  /** Line numbers from 1, where the side has the line. */
  before: number | null;
  after: number | null;
}

const MAX_CELLS = 4_000_000;

/** The shortest way from one text to the other; very long ones are compared at their ends only. */
export function diffLines(before: string, after: string): DiffLine[] {
  const [left, right] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let end = 0;
  while (end < left.length - start && end < right.length - start && left[left.length - 1 - end] === right[right.length - 1 - end]) end++;
  const lines: DiffLine[] = [];
  const keep = (at: number, to: number) => lines.push({ kind: "kept", text: left[at] ?? "", before: at + 1, after: to + 1 });
  const remove = (at: number) => lines.push({ kind: "removed", text: left[at] ?? "", before: at + 1, after: null });
  const add = (at: number) => lines.push({ kind: "added", text: right[at] ?? "", before: null, after: at + 1 });
  for (let at = 0; at < start; at++) keep(at, at);
  const [rows, columns] = [left.length - start - end, right.length - start - end];
  const common = rows * columns > MAX_CELLS ? null : longestCommon(left.slice(start, start + rows), right.slice(start, start + columns));
  let [row, column] = [0, 0];
  while (row < rows || column < columns) {
    if (common && row < rows && column < columns && left[start + row] === right[start + column]) keep(start + row++, start + column++);
    else if (row < rows && (column >= columns || !common || (common[row + 1]?.[column] ?? 0) >= (common[row]?.[column + 1] ?? 0))) remove(start + row++);
    else add(start + column++);
  }
  for (let at = end; at > 0; at--) keep(left.length - at, right.length - at);
  return lines;
}

/** `[i][j]`: how many lines the rests from i and from j have in common. */
function longestCommon(left: string[], right: string[]): Uint32Array[] {
  const table = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
  for (let row = left.length - 1; row >= 0; row--) {
    const [here, below] = [table[row], table[row + 1]];
    if (!here || !below) continue;
    for (let column = right.length - 1; column >= 0; column--) here[column] = left[row] === right[column] ? (below[column + 1] ?? 0) + 1 : Math.max(below[column] ?? 0, here[column + 1] ?? 0);
  }
  return table;
}

/** Removed and added lines that stand together, side by side. */
export function pairLines(lines: readonly DiffLine[]): { before: DiffLine | null; after: DiffLine | null }[] {
  const rows: { before: DiffLine | null; after: DiffLine | null }[] = [];
  let removed: DiffLine[] = [];
  let added: DiffLine[] = [];
  const flush = () => {
    for (let at = 0; at < Math.max(removed.length, added.length); at++) rows.push({ before: removed[at] ?? null, after: added[at] ?? null });
    [removed, added] = [[], []];
  };
  for (const line of lines) {
    if (line.kind === "removed") removed.push(line);
    else if (line.kind === "added") added.push(line);
    else {
      flush();
      rows.push({ before: line, after: line });
    }
  }
  flush();
  return rows;
}

/** The lines around changes; where others are left out stands how many. */
export function folded<T>(rows: readonly T[], isKept: (row: T) => boolean, around = 3): (T | number)[] {
  const shown = rows.map((_, at) => rows.slice(Math.max(0, at - around), at + around + 1).some((row) => !isKept(row)));
  const result: (T | number)[] = [];
  let hidden = 0;
  rows.forEach((row, at) => {
    if (!shown[at]) hidden++;
    else {
      if (hidden > 0) result.push(hidden);
      hidden = 0;
      result.push(row);
    }
  });
  if (hidden > 0) result.push(hidden);
  return result;
}
