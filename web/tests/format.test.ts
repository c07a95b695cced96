import { expect, it } from "vitest";
import { beginningOf, formatCompact, straight } from "@/lib/format";

it("shows the marks that turn the direction of writing", () => {
  expect(straight("photo\u202Egpj.exe")).toBe("photo⟨U+202E⟩gpj.exe");
  expect(straight("\u061C\u2066a\u2069")).toBe("⟨U+061C⟩⟨U+2066⟩a⟨U+2069⟩");
  for (const text of ["plain", "שלום", "naïve 😀"]) expect(straight(text)).toBe(text);
});

it("shortens what would not fit", () => {
  expect(beginningOf("a".repeat(200))).toBe("a".repeat(200));
  expect(beginningOf("a".repeat(2000))).toBe(`${"a".repeat(199)}…`);
  expect(beginningOf("😀".repeat(2000))).toMatch(/^😀+…$/u);
  expect([9_999, 10_000, 999_949, 999_950].map(formatCompact)).toEqual(["9,999", "10k", "999.9k", "1M"]);
});
