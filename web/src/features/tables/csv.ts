/** The beginning of a CSV file, to propose a schema; the server alone decides what its lines are (siem.md §1.19). */
import type { TableSchema } from "@/api/tables";

export interface Head {
  headers: string[];
  rows: string[][];
}

const SAMPLED = 200;

/** The records of a text (quotes doubled within quotes), at most so many; a record that is cut off is left out. */
export function readRecords(text: string, most: number): string[][] {
  const records: string[][] = [];
  let cells: string[] = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length && records.length < most; at += 1) {
    const char = text.charAt(at);
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text.charAt(at + 1) === '"') {
        cell += char;
        at += 1;
      } else quoted = false;
    } else if (char === '"' && cell === "") quoted = true;
    else if (char === ",") {
      cells.push(cell);
      cell = "";
    } else if (char === "\n" || char === "\r") {
      if (cell !== "" || cells.length > 0) records.push([...cells, cell]);
      cells = [];
      cell = "";
    } else cell += char;
  }
  if (records.length < most && !quoted && (cell !== "" || cells.length > 0)) records.push([...cells, cell]);
  return records;
}

/** The first line as names of columns, and some rows below it. */
export function readHead(text: string): Head {
  const [headers = [], ...rows] = readRecords(text.replace(/^\uFEFF/, ""), SAMPLED + 1);
  return { headers: headers.map((name) => name.trim()), rows };
}

const INTEGER = /^-?(0|[1-9][0-9]{0,9})$/;
const INT32_MAX = 2 ** 31 - 1;

/** Numbers where every sampled value is one; the first column whose values are all there, and all different, is the key. */
export function proposeSchema({ headers, rows }: Head): TableSchema {
  const column = (index: number) => rows.map((row) => row[index] ?? "");
  const fields = headers.map((name, index) => {
    const values = column(index).filter((value) => value !== "");
    const isNumber = values.length > 0 && values.every((value) => INTEGER.test(value) && Math.abs(Number(value)) <= INT32_MAX);
    return { name, type: isNumber ? ("INT32" as const) : ("STRING" as const) };
  });
  const key = headers.findIndex((_, index) => {
    const values = column(index);
    return values.length > 0 && !values.includes("") && new Set(values).size === values.length;
  });
  return { fields, primary_keys: headers.length > 0 ? [headers[Math.max(0, key)] ?? ""] : [] };
}

/** The text of a primary key: the value, or a JSON list of several, as the server writes it. */
export const keyOf = (keys: readonly string[], values: Record<string, string>): string =>
  keys.length === 1 ? (values[keys[0] ?? ""] ?? "") : JSON.stringify(keys.map((name) => values[name] ?? ""));
