import { describe, expect, it } from "vitest";
import { clearFacet, droppable, facetSelection, fieldOf, onlyValue, quoteValue, toggleExcluded, toggleValue } from "@/lib/queryText";

const AWKWARD = ["plain", "two words", 'say "hi"', "back\\slash", "a:b", "*", "who?", "AND", "OR", "TO", "-dash", "!bang", "(group)", "[1 TO 2]", "10.0.0.0/8", "fd00::/8", "2001:db8::1", "", "ünïcode", "trailing\\", "a&&b", "#tag", ">5", "line\nbreak"];

describe("facet choices", () => {
  it("come back as they went in, whatever the value", () => {
    for (const value of AWKWARD) {
      expect(facetSelection(toggleValue("", "@k", value), "@k"), value).toEqual({ included: [value], excluded: [] });
      expect(facetSelection(toggleExcluded("", "@k", value), "@k"), value).toEqual({ included: [], excluded: [value] });
    }
    const all = AWKWARD.reduce((text, value) => toggleValue(text, "@k", value), "free text");
    expect(facetSelection(all, "@k").included).toEqual(AWKWARD);
    expect(AWKWARD.reduce((text, value) => toggleValue(text, "@k", value), all)).toBe("free text");
  });

  it.each([
    ["", "status", "high", "status:high"],
    ["failed login", "status", "high", "failed login status:high"],
    ["status:high", "status", "low", "status:(high OR low)"],
    ["status:(high OR low)", "status", "high", "status:low"],
    ["status:high", "status", "high", ""],
    ["status:high AND host:a", "status", "high", "host:a"],
    ["host:a AND status:high", "status", "high", "host:a"],
    ["a OR b", "status", "high", "(a OR b) status:high"],
    ["-status:high", "status", "high", "status:high"],
    ["*", "status", "high", "status:high"],
    ["status:>=5", "status", "high", "status:>=5 status:high"],
    ["status:h*", "status", "high", "status:h* status:high"],
  ])("toggling in %j %s %s gives %j", (text, field, value, expected) => {
    expect(toggleValue(text, field, value)).toBe(expected);
  });

  it("exclude, only and clear", () => {
    expect(toggleExcluded("status:high host:a", "status", "high")).toBe("host:a -status:high");
    expect(toggleExcluded("-status:(high OR low)", "status", "low")).toBe("-status:high");
    expect(onlyValue("status:(high OR low) -status:info x", "status", "info")).toBe("x status:info");
    expect(clearFacet("NOT status:high  host:a status:low", "status")).toBe("host:a");
  });

  it("read every spelling of a plain clause", () => {
    expect(facetSelection('status: high !status:low NOT status:"in fo" -(status:critical)', "status")).toEqual({ included: ["high"], excluded: ["low", "in fo"] });
    expect(facetSelection("k:a\\:b k:(c || d)", "k").included).toEqual(["a:b", "c", "d"]);
    expect(facetSelection("- -status:high", "status").included).toEqual(["high"]);
    expect(facetSelection('@"last name":doe', '@"last name"').included).toEqual(["doe"]);
  });

  it("leave alone what is not a plain choice", () => {
    for (const text of ["k:(a b)", "k:(a OR -b)", "k:(a OR (b))", "k:[1 TO 2]", "k:*", "k:a?", "CIDR(k, 10.0.0.0/8)", "k:10.0.0.0/8", "k:a OR x:b", 'k:"open']) {
      expect(facetSelection(text, "k"), text).toEqual({ included: [], excluded: [] });
    }
    expect(clearFacet("k:(a b) k:c", "k")).toBe("k:(a b)");
  });

  it("does not take words for operators", () => {
    expect(facetSelection("ORDER k:NOTICE ANDROID", "k").included).toEqual(["NOTICE"]);
    expect(toggleValue("a&&b", "k", "v")).toBe("a&&b k:v");
  });
});

it("names the filters that could be dropped", () => {
  expect(droppable("status:high failed -host:(a OR b)")).toEqual([
    { clause: "status:high", without: "failed -host:(a OR b)" },
    { clause: "failed", without: "status:high -host:(a OR b)" },
    { clause: "-host:(a OR b)", without: "status:high failed" },
  ]);
  expect(droppable("a OR b")).toEqual([{ clause: "a OR b", without: "" }]);
  expect(droppable(" ")).toEqual([]);
});

it("quotes only where it must", () => {
  expect(quoteValue("web-7.example.org")).toBe("web-7.example.org");
  expect(quoteValue("10.0.0.0/8")).toBe('"10.0.0.0/8"');
  expect(quoteValue('a"b\\c')).toBe('"a\\"b\\\\c"');
});

it("writes paths as fields", () => {
  expect(fieldOf("usr.id")).toBe("@usr.id");
  expect(fieldOf("usr.last name")).toBe('@usr."last name"');
});
