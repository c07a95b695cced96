import { expect, it } from "vitest";
import type { ExploreEvent } from "@/api/types";
import { relatedLogs } from "@/features/signals/relatedLogs";
import { parseSearch } from "@/lib/urlState";

const signal = (custom: Record<string, unknown>): ExploreEvent => ({
  id: "s",
  type: "signal",
  attributes: { timestamp: "2026-01-01T00:10:00.000Z", custom: { workflow: { first_seen: "2026-01-01T00:00:00.000Z", last_seen: "2026-01-01T00:10:00.000Z" }, ...custom } },
});
const search = (address: string) => parseSearch(address.slice(address.indexOf("?")));

it("uses the search that the engine names", () => {
  const address = relatedLogs(signal({ relatedQuery: { from: 1, to: 2, query: "source:sshd" }, queries: [{ query: "other" }] }));
  expect(search(address)).toEqual({ query: "source:sshd", from: "1", to: "2" });
});

it("opens signals where a rule reads them", () => {
  const queries = [{ name: "a", query: "x" }, { name: "b", query: "status:high" }];
  expect(relatedLogs(signal({ relatedQuery: { track: "signals", query: "status:high", queries: { b: "(status:high)" } }, queries }))).toMatch(/^\/signals\?/);
  const mixed = signal({ relatedQuery: { track: "logs", query: "x", queries: { a: "(x)" } }, queries });
  expect([relatedLogs(mixed), relatedLogs(mixed, 0), relatedLogs(mixed, 1)].map((address) => address.split("?")[0])).toEqual(["/logs", "/logs", "/signals"]);
});

it("writes one from queries and groups when there is none", () => {
  const custom = { queries: [{ name: "a", query: "x OR y" }, { name: "b", query: "z" }], groupByValues: { "@usr.id": "two words", host: ["a", "b"], "@gone": "N/A" } };
  expect(search(relatedLogs(signal(custom)))).toEqual({
    query: '((x OR y) OR (z)) @usr.id:"two words" host:(a OR b)',
    from: String(Date.parse("2025-12-31T23:40:00.000Z")),
    to: String(Date.parse("2026-01-01T00:15:00.000Z")),
  });
  expect(search(relatedLogs(signal(custom), 0)).query).toBe('(x OR y) @usr.id:"two words" host:(a OR b)');
});
