import { expect, it } from "vitest";
import { fieldTexts } from "@/components/explorer/model";
import { flatten, textAt, textsAt, valueAt } from "@/lib/attributes";

it("reads dotted names and nested ones alike", () => {
  expect(valueAt({ usr: { id: "ana" } }, "usr.id")).toBe("ana");
  expect(valueAt({ "usr.id": "ana" }, "usr.id")).toBe("ana");
  expect(valueAt({ usr: { "id.x": 1 } }, "usr.id.x")).toBe(1);
  expect(textsAt({ a: ["x", null, { b: 1 }, 2] }, "a")).toEqual(["x", "2"]);
});

it("finds nothing that every object has", () => {
  for (const path of ["constructor", "toString", "__proto__", "constructor.name", "a.constructor"]) expect(textAt({ a: {} }, path), path).toBe("");
  expect(textAt(JSON.parse('{"constructor": "acme", "__proto__": {"x": 1}}'), "constructor")).toBe("acme");
  expect(textAt(JSON.parse('{"__proto__": {"x": 1}}'), "__proto__.x")).toBe("1");
});

it("lists every value with its path, also where two are called the same", () => {
  expect(flatten({ "a.b": 1, a: { b: 2 }, l: [{ x: 1 }, 2] })).toEqual([["a.b", 1], ["a.b", 2], ["l[0].x", 1], ["l[1]", 2]]);
});

it("finds what a field names, however the field is written", () => {
  const event = { id: "e", type: "log", attributes: { timestamp: "", attributes: { "host name": "a", 'q"': { b: "c" } } } };
  for (const field of ["@host\\ name", '@"host name"']) expect(fieldTexts(event, field)).toEqual(["a"]);
  for (const field of ['@q\\".b', '@"q\\"".b']) expect(fieldTexts(event, field)).toEqual(["c"]);
});
