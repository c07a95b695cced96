/** Times of rules: those that the product allows (siem.md §2.9), and how they are written. */

export const WINDOWS = [0, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400] as const;

const UNITS: [number, string][] = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** `900` as `15 minutes`; 0 as `None`. */
export function durationLabel(seconds: number): string {
  if (seconds === 0) return "None";
  const [size, unit] = UNITS.find(([each]) => seconds % each === 0 && !(each === 86_400 && seconds === 86_400)) ?? [1, "second"];
  const count = seconds / size;
  return `${String(count)} ${unit}${count === 1 ? "" : "s"}`;
}
