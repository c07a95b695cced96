import { describe, expect, it } from "vitest";
import type { ExploreEvent } from "@/api/types";
import { queryOf, rangeAround, ranked, telling, valuesOf } from "@/features/signals/relatedSignals";

const signal = (id: string, entities: string[], groupByValues: Record<string, string | string[]> = {}, timestamp = "2026-01-08T00:00:00.000Z"): ExploreEvent => ({
  id,
  type: "signal",
  attributes: { timestamp, custom: { entities, groupByValues, workflow: { first_seen: timestamp, last_seen: timestamp } } },
});
const ENTITIES = ["@usr.id:ana", "@network.client.ip:2001:db8::1", "host:web-1"];

describe("signals about the same user, address or host", () => {
  it("have in common what the rule groups by, and entities", () => {
    expect(valuesOf(signal("s", ENTITIES, { "@usr.id": "ana", "@evt.name": ["a", "b"], team: "N/A" }))).toEqual([
      { field: "@usr.id", value: "ana" },
      { field: "@evt.name", value: "a" },
      { field: "@evt.name", value: "b" },
      { field: "@network.client.ip", value: "2001:db8::1" },
      { field: "host", value: "web-1" },
    ]);
    expect(valuesOf(signal("s", []))).toEqual([]);
  });

  it("are searched a week around", () => {
    expect(queryOf(valuesOf(signal("s", [...ENTITIES, "@usr.id:two words"])))).toBe('@usr.id:(ana OR "two words") OR @network.client.ip:"2001:db8::1" OR host:web-1');
    expect(queryOf(valuesOf(signal("s", [], { "@host\\ name": "a" })))).toBe("@host\\ name:a");
    expect(rangeAround(signal("s", []))).toEqual({ from: Date.parse("2026-01-01T00:00:00.000Z"), to: Date.parse("2026-01-15T00:00:00.000Z") });
  });

  it("do not count what half of all signals have, unless those are few", () => {
    const values = valuesOf(signal("s", ENTITIES));
    const facets = [{ facet: "@usr.id", values: [{ value: "ana", count: 3 }] }, { facet: "host", values: [{ value: "web-1", count: 600 }] }];
    expect(telling(values, facets, 1000).map(({ field }) => field)).toEqual(["@usr.id", "@network.client.ip"]);
    expect(telling(values, facets, 100_000)).toHaveLength(3);
    expect(telling(values, [{ facet: "host", values: [{ value: "web-1", count: 50 }] }], 50)).toHaveLength(3);
  });

  it("come by how rare what they share is, then by nearness", () => {
    const own = signal("s", ENTITIES);
    const values = valuesOf(own).map((one, index) => ({ ...one, count: [2, 9, 40][index] }));
    const found = [own, signal("host", ["host:web-1"]), signal("far", ["@usr.id:ana"], {}, "2026-01-03T00:00:00.000Z"), signal("near", ["@usr.id:ana"], {}, "2026-01-07T00:00:00.000Z"), signal("both", ["@usr.id:ana", "host:web-1"])];
    const related = ranked(own, found, values);
    expect(related.map((one) => one.signal.id)).toEqual(["both", "near", "far", "host"]);
    expect(related[0]?.shared.map(({ value }) => value)).toEqual(["ana", "web-1"]);
  });
});
