import { describe, expect, it } from "vitest";
import type { ExploreEvent } from "@/api/types";
import { EXAMPLE, nameOf, parseDefinition, resultLogs } from "@/features/jobs/model";

const result = (queries: string[], groupByValues: Record<string, string[]>): ExploreEvent => ({
  id: "r",
  type: "signal",
  attributes: {
    timestamp: "2026-01-01T00:00:00.000Z",
    custom: { queries: queries.map((query) => ({ name: "a", query })), groupByValues, workflow: { first_seen: "2026-01-01T00:00:00.000Z", last_seen: "2026-01-01T00:10:00.000Z" } },
  },
});
const queryOf = (address: string) => new URL(address, "http://x").searchParams.get("query");

describe("historical jobs", () => {
  it("begins with a definition that is one", () => {
    expect(parseDefinition(EXAMPLE).fault).toBeNull();
    expect(parseDefinition("[]").fault).toContain("object");
    expect(parseDefinition("{").definition).toBeNull();
  });

  it("calls a result by what it is about, since all results of a job have one title", () => {
    const titled = (groupByValues: Record<string, string[]>) => {
      const made = result(["a"], groupByValues);
      return { ...made, attributes: { ...made.attributes, title: "Passwords guessed" } };
    };
    expect(nameOf(titled({ "@usr.name": ["root"], host: ["bastion-1", "N/A"] }))).toBe("root, bastion-1");
    expect(nameOf(titled({ "@usr.name": ["N/A"] }))).toBe("Passwords guessed");
    expect(nameOf(titled({}))).toBe("Passwords guessed");
  });

  it("leads from a result to its logs", () => {
    expect(queryOf(resultLogs(result(["source:sshd a OR b"], { "@usr.id": ["eve"] })))).toBe("(source:sshd a OR b) @usr.id:eve");
    expect(queryOf(resultLogs(result(["a", "b"], {})))).toBe("((a) OR (b))");
    expect(queryOf(resultLogs(result(["a", "*"], { host: ["x"] })))).toBe("host:x");
    const times = new URL(resultLogs(result(["a"], {})), "http://x").searchParams;
    expect(Number(times.get("to")) - Number(times.get("from"))).toBe(20 * 60_000);
  });
});
