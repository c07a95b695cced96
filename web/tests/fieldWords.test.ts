import { expect, it } from "vitest";
import { fieldWords, hasWord } from "@/features/signals/fieldWords";

it("calls a field by its word, and what has none by its path, even where JavaScript has something of that name", () => {
  expect(fieldWords("@usr.id")).toBe("user");
  for (const field of ["@team", "@constructor", "@toString", "@__proto__"]) {
    expect(fieldWords(field)).toBe(field.slice(1));
    expect(hasWord(field)).toBe(false);
  }
});
