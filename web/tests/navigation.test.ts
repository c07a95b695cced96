import { describe, expect, it } from "vitest";
import { NAVIGATION, offered } from "@/app/navigation";

describe("navigation", () => {
  it("offers what somebody may see, and no empty group", () => {
    const shown = offered(NAVIGATION, (permission) => permission === "logs_read_data");
    expect(shown.map(({ items }) => items.map(({ to }) => to))).toEqual([["/logs"], ["/settings"]]);
    expect(offered(NAVIGATION, () => true).every(({ items }) => items.length > 0)).toBe(true);
  });

  it("has each address once", () => {
    const addresses = NAVIGATION.flatMap(({ items }) => items.map(({ to }) => to));
    expect(new Set(addresses).size).toBe(addresses.length);
  });
});
