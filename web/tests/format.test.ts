import { expect, it } from "vitest";
import { straight } from "@/lib/format";

it("shows the marks that turn the direction of writing", () => {
  expect(straight("photo\u202Egpj.exe")).toBe("photo⟨U+202E⟩gpj.exe");
  expect(straight("\u061C\u2066a\u2069")).toBe("⟨U+061C⟩⟨U+2066⟩a⟨U+2069⟩");
  for (const text of ["plain", "שלום", "naïve 😀"]) expect(straight(text)).toBe(text);
});
