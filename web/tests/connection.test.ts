import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { get } from "@/api/client";
import { connectionIsLost, patiently, whenConnectionChanges } from "@/api/connection";

let answer: () => Promise<Response>;
const away = () => Promise.reject(new TypeError("Failed to fetch"));
const asked: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    return answer();
  });
});

afterEach(async () => {
  answer = () => Promise.resolve(new Response("{}"));
  await vi.advanceTimersByTimeAsync(10_000);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a server that is away is asked until it answers", async () => {
  const said: boolean[] = [];
  const stop = whenConnectionChanges(() => said.push(connectionIsLost()));
  answer = away;
  await expect(get("/things")).rejects.toThrow("cannot be reached");
  await expect(get("/others")).rejects.toThrow("cannot be reached");
  expect(connectionIsLost()).toBe(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked.filter((path) => path === "/health/live").length).toBeGreaterThan(10);
  expect(connectionIsLost()).toBe(true);
  answer = () => Promise.resolve(new Response("{}"));
  await vi.advanceTimersByTimeAsync(4000);
  expect(said).toEqual([true, false]);
  const { length } = asked;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(length);
  stop();
});

test("a proxy's word is not the server's", async () => {
  answer = () => Promise.resolve(new Response("Bad gateway", { status: 502 }));
  await expect(get("/things")).rejects.toThrow();
  expect(connectionIsLost()).toBe(true);
});

test("what the server refuses is an answer", async () => {
  answer = () => Promise.resolve(new Response("{}", { status: 503, headers: { "x-request-id": "1" } }));
  await expect(get("/things")).rejects.toThrow();
  expect(connectionIsLost()).toBe(false);
});

test("code is waited for while the server is away", async () => {
  answer = away;
  const load = vi.fn().mockRejectedValueOnce(new TypeError("Failed to fetch")).mockResolvedValue("code");
  const loaded = patiently(load)();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(connectionIsLost()).toBe(true);
  expect(load).toHaveBeenCalledTimes(1);
  answer = () => Promise.resolve(new Response("{}"));
  await vi.advanceTimersByTimeAsync(4000);
  await expect(loaded).resolves.toBe("code");
});

test("code that a server which is there does not have is no lost connection", async () => {
  const said: boolean[] = [];
  const stop = whenConnectionChanges(() => said.push(connectionIsLost()));
  answer = () => Promise.resolve(new Response("{}"));
  await expect(patiently(() => Promise.reject(new TypeError("Failed to fetch")))()).rejects.toThrow("Failed to fetch");
  expect(said).toEqual([]);
  stop();
});
