import { expect, it } from "vitest";
import { elsewhere } from "@/components/explorer/model";
import { parseSearch } from "@/lib/urlState";

const range = { from: "now-4h", to: "now" };

it("leads from a value of a signal to the logs of the same time, and from one of a log to signals", () => {
  const address = (track: "logs" | "signals", field: string, value: string): [string | undefined, unknown] => {
    const [path, search] = elsewhere(track, range, field, value)?.address.split("?") ?? [];
    return [path, parseSearch(`?${search ?? ""}`)];
  };
  expect(address("signals", "@usr.id", "two words")).toEqual(["/logs", { query: '@usr.id:"two words"', ...range }]);
  expect(address("logs", "host", "web-1")).toEqual(["/signals", { query: "host:web-1" }]);
});

it("does not lead where the field means something else", () => {
  for (const field of ["status", "title", "@workflow.rule.name", "@workflow.triage.state", "timestamp"]) expect(elsewhere("signals", range, field, "high")).toBeNull();
  expect(elsewhere("logs", range, "status", "error")).toBeNull();
  expect(elsewhere("signals", range, "@workflows.id", "1")).not.toBeNull();
});
