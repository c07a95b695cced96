import { describe, expect, it } from "vitest";
import { editorsOf, whoMay, type Restriction } from "@/api/restrictions";

const restricted = (...names: string[]): Restriction => ({
  id: "security-rule:abc-d1e-2fg",
  type: "restriction_policy",
  attributes: {
    bindings: [
      { relation: "viewer", principals: ["org:1"] },
      { relation: "editor", principals: names.map((_, index) => `role:${String(index)}`) },
    ],
  },
  meta: { version: "v", editable: false, restricted: true, names: { "org:1": "everybody", ...Object.fromEntries(names.map((name, index) => [`role:${String(index)}`, name])) } },
});

describe("who may change what is restricted", () => {
  it("names editors, and nobody who only sees it", () => {
    expect(editorsOf(restricted("Owners"))).toEqual(["role:0"]);
    expect(whoMay(restricted("Owners", "ana@example.com"))).toBe("Restricted: only Owners, ana@example.com may change it");
  });

  it("counts those that are too many to name", () => {
    expect(whoMay(restricted("A", "B", "C", "D"))).toBe("Restricted: only A, B, C, D may change it");
    expect(whoMay(restricted("A", "B", "C", "D", "E"))).toBe("Restricted: only A, B, C, 2 more may change it");
  });

  it("says when nobody is left", () => {
    expect(whoMay(restricted())).toBe("Restricted: it has no editor any more; who manages people can take it over");
  });
});
