import { describe, expect, it } from "vitest";
import { ApiError } from "@/api/errors";
import { attributesOf, faultsOf, NEW_FEED, withFormat, withLocation } from "@/features/intel/feedDraft";
import { intervalLabel } from "@/features/intel/labels";

describe("a feed's form", () => {
  it("sends no secret that nobody typed, and none of another location", () => {
    const draft = { ...NEW_FEED, name: " ours ", location: { type: "url" as const, url: " https://a.example ", file: "old.csv" }, authentication: { type: "basic" as const, user_name: "reader", secret: "" } };
    expect(attributesOf(draft)).toMatchObject({ name: "ours", location: { type: "url", url: "https://a.example" } });
    expect(attributesOf(draft).authentication).not.toHaveProperty("secret");
    expect(attributesOf({ ...draft, authentication: { ...draft.authentication, secret: "s" } }).authentication).toHaveProperty("secret", "s");
    expect(withLocation(draft, "upload").authentication).toEqual(NEW_FEED.authentication);
  });

  it("takes along what a format needs and drops what it has not", () => {
    const table = { ...NEW_FEED, indicator_type: "domain", columns: { indicator: "host" }, delimiter: ";" };
    expect(withFormat(table, "taxii")).toMatchObject({ location: { type: "url" }, indicator_type: "", columns: {}, delimiter: "" });
    expect(withFormat(table, "csv")).toMatchObject({ indicator_type: "domain" });
    expect(attributesOf({ ...table, columns: { indicator: "host", type: " " } }).columns).toEqual({ indicator: "host" });
  });

  it("puts each fault at its field", () => {
    const error = new ApiError(400, ["location.url: an address that begins with https://", "there are 200 feeds already"], null, null, [{ target: "data.attributes.name", message: "too short" }]);
    expect(faultsOf(error)).toEqual({ fields: { name: "too short", "location.url": "an address that begins with https://" }, loose: ["there are 200 feeds already"] });
  });

  it("speaks of intervals in the largest unit that is whole", () => {
    expect([300, 3_600, 86_400, 604_800, 5_400].map(intervalLabel)).toEqual(["5 minutes", "1 hour", "1 day", "7 days", "90 minutes"]);
  });
});
