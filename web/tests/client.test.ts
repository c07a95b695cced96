import { afterEach, expect, test, vi } from "vitest";
import { post } from "@/api/client";

afterEach(() => vi.unstubAllGlobals());

/** A server that answers with how often it was asked. */
function counting() {
  let asked = 0;
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(String(++asked))));
}

test("the second click of a double one is the same change", async () => {
  counting();
  expect(await Promise.all([post("/things", { name: "a" }), post("/things", { name: "a" })])).toEqual([1, 1]);
});

test("another change is another one, and so is the same one later", async () => {
  counting();
  expect(await Promise.all([post("/things", { name: "a" }), post("/things", { name: "b" })])).toEqual([1, 2]);
  expect(await post("/things", { name: "a" })).toBe(3);
});

test("a question that can be called off is nobody else's", async () => {
  counting();
  const { signal } = new AbortController();
  expect(await Promise.all([post("/search", {}, signal), post("/search", {}, signal)])).toEqual([1, 2]);
});
