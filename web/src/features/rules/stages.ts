/** Conditions that hold one after the other: `a > 5 then b > 0` (siem.md §2.8). */

export const stagesOf = (condition: string): string[] => condition.split(/\s*\bthen\b\s*/);

export const joinStages = (stages: readonly string[]): string => stages.join(" then ");
