import { expect, it } from "vitest";
import { keyOf, proposeSchema, readHead, readRecords } from "@/features/tables/csv";

it("reads records with quotes, line breaks within them and both ends of line", () => {
  expect(readRecords('a,b\r\n"x ""y"", z","two\nlines"\n\n,2\n"cut', 10)).toEqual([["a", "b"], ['x "y", z', "two\nlines"], ["", "2"]]);
  expect(readRecords("a\nb\nc", 2)).toEqual([["a"], ["b"]]);
});

it("takes the first line as the columns, without a mark at its begin", () => {
  expect(readHead("\uFEFFuser, team\nana,red\n")).toEqual({ headers: ["user", "team"], rows: [["ana", "red"]] });
});

it("proposes numbers where all values are such, and the first column that is all there and all different as the key", () => {
  const head = readHead("team,user,level,badge\nred,ana,3,007\nred,ben,,12\n");
  expect(proposeSchema(head)).toEqual({
    fields: [
      { name: "team", type: "STRING" },
      { name: "user", type: "STRING" },
      { name: "level", type: "INT32" },
      { name: "badge", type: "STRING" },
    ],
    primary_keys: ["user"],
  });
  expect(proposeSchema(readHead("n\n2147483648\n")).fields).toEqual([{ name: "n", type: "STRING" }]);
});

it("writes a key of several columns as the server does", () => {
  expect(keyOf(["user"], { user: "ana" })).toBe("ana");
  expect(keyOf(["a", "b"], { a: 'x"', b: "1" })).toBe('["x\\"","1"]');
});
