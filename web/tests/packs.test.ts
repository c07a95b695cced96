import { describe, expect, it } from "vitest";
import type { Pack } from "@/api/packs";
import { explained, logsOf, placed, rulesOf, samplesOf, shown, summary } from "@/features/packs/model";

type Attributes = Pack["attributes"];

function pack(name: string, changes: Partial<Attributes> = {}, details: Partial<Attributes["details"]> = {}): Pack {
  return {
    id: name.toLowerCase(),
    type: "content_pack",
    attributes: {
      name,
      about: `Logs of ${name}`,
      sources: [name.toLowerCase()],
      status: "active",
      details: { type: "logs", cp_activation: "activated", data_last_seen: "within_24_hours", filters_configured: true, integration_installed_status: "installed", logs_seen_from_any_index: true, siem_index_incorrect: false, ...details },
      data_last_seen_at: null,
      rules: { total: 3, enabled: 3, query: "origin:default source:a" },
      pipelines: [],
      logs: { count: 10, analysed: 10, query: "source:a" },
      signals: { count: 0, query: "source:a" },
      sample_logs: { is_available: true, expires_at: null },
      guide: [],
      ...changes,
    },
  };
}

const PACKS = [pack("Zoom"), pack("Azure", { status: "install" }), pack("Slack", { status: "warning" }), pack("Okta", { status: "broken" }), pack("Dns", { status: "activate" })];

it("lists first what is broken, last what is not connected", () => {
  expect(shown(PACKS, "").map(({ id }) => id)).toEqual(["okta", "slack", "zoom", "dns", "azure"]);
  expect(summary(PACKS)).toBe("5 packs, 2 in trouble, 1 working, 1 not connected");
  expect(summary([pack("Zoom")])).toBe("1 pack, 1 working");
});

it("finds packs by name, source and state", () => {
  const ids = (text: string) => shown(PACKS, text).map(({ id }) => id);
  expect(ids("  ZOOM ")).toEqual(["zoom"]);
  expect(ids("not connected")).toEqual(["azure"]);
  expect(ids("logs of")).toHaveLength(5);
});

describe("what a state means", () => {
  it("says what is wrong where something is", () => {
    expect(explained(pack("A", { status: "broken" }))[0]).toContain("more than three days");
    expect(explained(pack("A", { status: "broken" }, { filters_configured: false }))[0]).toContain("No security filter takes its logs");
    expect(explained(pack("A", { status: "activate" }, { cp_activation: "deactivated" }))).toEqual(["Its rules were disabled with it."]);
    expect(explained(pack("A", { rules: { total: 3, enabled: 1, query: "" } }))).toEqual(["Logs come, and 1 rule looks at them."]);
  });
  it("says which logs rules do not see, and which pipeline is off", () => {
    const found = explained(pack("A", { logs: { count: 1200, analysed: 200, query: "" }, pipelines: [{ id: "p", name: "Taking apart", is_enabled: false }] }));
    expect(found.slice(1)).toEqual(["Security filters keep 1,000 of its 1,200 logs from the rules.", "The pipeline Taking apart is off: rules miss what it takes out of the logs."]);
  });
});

it("links each number to the search that counts it", () => {
  expect(logsOf(pack("A"))).toBe("/logs?query=source:a&from=now-72h&to=now");
  expect(rulesOf(pack("A"), true)).toBe("/rules?query=origin:default+source:a+enabled:true");
  expect(samplesOf(pack("A", { sources: ["a", "b"] }))).toBe("/logs?query=source:(a+OR+b)+sample:true&from=now-24h&to=now");
});

it("fills in where Tocsin is, everywhere", () => {
  const at = { origin: "https://tocsin.example:8080", host: "tocsin.example:8080" };
  expect(placed("{url}/a {host} {url} find {} +", at)).toBe("https://tocsin.example:8080/a tocsin.example:8080 https://tocsin.example:8080 find {} +");
});
