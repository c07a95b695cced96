const NUMBER = new Intl.NumberFormat("en-GB");

/** `12,480`. */
export const formatNumber = (value: number): string => NUMBER.format(value);

/** `12.4k`, for places too small for all digits. */
export function formatCompact(value: number): string {
  if (value < 10_000) return formatNumber(value);
  if (value < 999_950) return `${String(Math.round(value / 100) / 10)}k`;
  return `${String(Math.round(value / 100_000) / 10)}M`;
}

export const plural = (count: number, noun: string, nouns = `${noun}s`): string => `${formatNumber(count)} ${count === 1 ? noun : nouns}`;

/** With a large first letter, if it begins with a letter. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const MOST_SHOWN = 200;

/** The beginning of a sender's value, where all of it would push the rest off the screen. */
export const beginningOf = (text: string): string => (text.length > MOST_SHOWN ? `${[...text.slice(0, MOST_SHOWN)].slice(0, -1).join("")}…` : text);

/** `ta0006-credential-access` as `TA0006 Credential access`. */
export function attackLabel(tag: string): string {
  const match = /^(ta?\d{4}(?:\.\d{3})?)(?:[-_ ](.*))?$/i.exec(tag);
  if (!match) return tag;
  const name = (match[2] ?? "").replace(/[-_]/g, " ");
  return `${(match[1] ?? "").toUpperCase()}${name ? ` ${sentence(name)}` : ""}`;
}

/** Marks that turn the direction of writing. */
export const DIRECTIONS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** A sender's text with the marks that turn the direction of writing made visible: `gpj.exe` after one reads `exe.jpg`. */
export const straight = (text: string): string => text.replace(DIRECTIONS, (mark) => `⟨U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
