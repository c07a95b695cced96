import { InfiniteQueryObserver, MutationObserver, QueryObserver, type InfiniteData } from "@tanstack/react-query";
import { afterEach, expect, test } from "vitest";
import { queryClient } from "@/app/queryClient";

/** A server whose answers wait until they are let go. */
function slowServer() {
  const letGo: (() => void)[] = [];
  let stored = "before";
  const read = () => {
    const answer = stored;
    return new Promise<string>((resolve) => letGo.push(() => resolve(answer)));
  };
  const change = () => {
    stored = "after";
  };
  return { read, change, letGo };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

afterEach(() => queryClient.clear());

test("a first read that was under way when something changed is asked again", async () => {
  const { read, change, letGo } = slowServer();
  const observer = new QueryObserver(queryClient, { queryKey: ["list", "typed"], queryFn: read });
  const stop = observer.subscribe(() => undefined);
  change();
  void queryClient.invalidateQueries({ queryKey: ["list"] });
  expect(letGo).toHaveLength(2);
  letGo.forEach((go) => go());
  await settled();
  expect(observer.getCurrentResult().data).toBe("after");
  stop();
});

test("whoever awaits such a read gets the answer from after the change", async () => {
  const { read, change, letGo } = slowServer();
  const observer = new QueryObserver(queryClient, { queryKey: ["one"], queryFn: read });
  const stop = observer.subscribe(() => undefined);
  const awaited = queryClient.fetchQuery({ queryKey: ["one"], queryFn: read });
  change();
  void queryClient.invalidateQueries({ queryKey: ["one"] });
  letGo.forEach((go) => go());
  expect(await awaited).toBe("after");
  stop();
});

test("one that nobody looks at is read when it is looked at", async () => {
  const { read, change, letGo } = slowServer();
  const observer = new QueryObserver(queryClient, { queryKey: ["left"], queryFn: read });
  observer.subscribe(() => undefined)();
  change();
  void queryClient.invalidateQueries({ queryKey: ["left"] });
  letGo.forEach((go) => go());
  await settled();
  const stop = observer.subscribe(() => undefined);
  letGo.forEach((go) => go());
  await settled();
  expect(observer.getCurrentResult().data).toBe("after");
  stop();
});

test("what is written while it is read stays: the answer from before is asked again", async () => {
  const { read, change, letGo } = slowServer();
  const observer = new QueryObserver(queryClient, { queryKey: ["written"], queryFn: read });
  const stop = observer.subscribe(() => undefined);
  change();
  queryClient.setQueryData(["written"], "after");
  letGo.forEach((go) => go());
  await settled();
  expect(observer.getCurrentResult().data).toBe("after");
  expect(letGo).toHaveLength(2);
  stop();
});

test("a further page that comes leaves what was written into those before it", async () => {
  const letGo: (() => void)[] = [];
  const observer = new InfiniteQueryObserver(queryClient, {
    queryKey: ["pages"],
    queryFn: ({ pageParam }) => new Promise<string>((resolve) => letGo.push(() => resolve(`page ${String(pageParam)}`))),
    initialPageParam: 0,
    getNextPageParam: (_page, pages) => pages.length,
  });
  const stop = observer.subscribe(() => undefined);
  letGo.forEach((go) => go());
  await settled();
  void observer.fetchNextPage();
  queryClient.setQueryData<InfiniteData<string>>(["pages"], (list) => list && { ...list, pages: ["written"] });
  letGo.forEach((go) => go());
  await settled();
  expect(observer.getCurrentResult().data?.pages).toEqual(["written", "page 1"]);
  stop();
});

test("after a change everything is asked again that is looked at next, however lately it was read", async () => {
  const { read, change, letGo } = slowServer();
  const observer = new QueryObserver(queryClient, { queryKey: ["elsewhere"], queryFn: read, staleTime: Infinity });
  const leave = observer.subscribe(() => undefined);
  letGo.forEach((go) => go());
  await settled();
  leave();
  await new MutationObserver(queryClient, { mutationFn: () => Promise.resolve(change()) }).mutate();
  const stop = observer.subscribe(() => undefined);
  letGo.forEach((go) => go());
  await settled();
  expect(observer.getCurrentResult().data).toBe("after");
  stop();
});
