import { describe, expect, it } from "vitest";
import { parseSearch, parseSort, printSort, readExplorer, stringifySearch, validateExplorerSearch, writeExplorer, type ExplorerDefaults, type ExplorerState } from "@/lib/urlState";

const DEFAULTS: ExplorerDefaults = { range: { from: "now-7d", to: "now" }, sort: { field: "timestamp", descending: true }, columns: ["severity", "title"], facets: ["severity", "state"] };
const PLAIN = readExplorer({}, DEFAULTS);

const STATES: Partial<ExplorerState>[] = [
  {},
  { query: 'status:"a & b" @usr.id:(x OR "y=z") +#ü' },
  { range: { from: "now-15m", to: "now" } },
  { range: { from: "1735689600000", to: "1735693200000" } },
  { sort: { field: "@usr.id", descending: false } },
  { columns: ["title", "@network.client.ip"] },
  { event: "AwAAA-1", tab: "rule" },
  { facets: [] },
  { facets: ["state"], facetsHidden: true },
  { facetsHidden: true },
  { paused: true },
];

describe("the address", () => {
  it("is empty for the default view", () => {
    expect(writeExplorer(PLAIN, DEFAULTS)).toEqual({});
    expect(stringifySearch({})).toBe("");
  });

  it("gives back every state that was written into it", () => {
    for (const change of STATES) {
      const state = { ...PLAIN, ...change };
      const address = stringifySearch({ ...writeExplorer(state, DEFAULTS) });
      expect(readExplorer(validateExplorerSearch(parseSearch(address)), DEFAULTS), address).toEqual(state);
    }
  });

  it("stays legible", () => {
    expect(stringifySearch({ query: "@usr.id:root status:(high OR low)" })).toBe("?query=@usr.id:root+status:(high+OR+low)");
  });

  it("keeps text that looks like something else as text", () => {
    expect(parseSearch("?query=123&event=true")).toEqual({ query: "123", event: "true" });
  });

  it("drops what it does not know", () => {
    expect(validateExplorerSearch({ query: "a", nonsense: "b", from: 5, tab: "" })).toEqual({ query: "a" });
  });

  it("takes a range without an end as one that ends now", () => {
    expect(readExplorer({ from: "now-4h" }, DEFAULTS).range).toEqual({ from: "now-4h", to: "now" });
    expect(readExplorer({ to: "now" }, DEFAULTS).range).toEqual(DEFAULTS.range);
  });

  it("takes a range that cannot be read, or runs backwards, as none", () => {
    for (const from of ["junk", "now", "now-999999999d"]) expect(readExplorer({ from }, DEFAULTS).range, from).toEqual(DEFAULTS.range);
  });

  it("takes a column once", () => {
    expect(readExplorer({ columns: "title,,@a,title" }, DEFAULTS).columns).toEqual(["title", "@a"]);
    expect(readExplorer({ columns: "," }, DEFAULTS).columns).toEqual(DEFAULTS.columns);
  });

  it("forgets the tab with the event", () => {
    expect(writeExplorer({ ...PLAIN, tab: "rule" }, DEFAULTS)).toEqual({});
  });
});

it("writes sorts as it reads them", () => {
  for (const text of ["-timestamp", "@usr.id"]) expect(printSort(parseSort(text))).toBe(text);
});
