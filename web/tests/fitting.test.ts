import { describe, expect, it } from "vitest";
import { fitting, type ExplorerColumn } from "@/components/explorer/model";
import { LOGS } from "@/features/logs/config";
import { SIGNALS } from "@/features/signals/config";

const shown = ({ columns, defaults }: typeof LOGS): ExplorerColumn[] => defaults.columns.flatMap((id) => columns.find((column) => column.id === id) ?? []);
const names = (columns: ExplorerColumn[], width: number): string[] => fitting(columns, width).map(({ id }) => id);

describe("the columns beside an open panel", () => {
  it("leaves what says most of a signal", () => {
    expect(names(shown(SIGNALS), 455)).toEqual(["severity", "state", "title"]);
    expect(names(shown(SIGNALS), 350)).toEqual(["severity", "title"]);
    expect(names(shown(SIGNALS), 700)).toEqual(["severity", "state", "title", "entities"]);
  });

  it("leaves the message and the time of a log", () => {
    expect(names(shown(LOGS), 489)).toEqual(["time", "status", "message"]);
    expect(names(shown(LOGS), 400)).toEqual(["time", "message"]);
  });

  it("leaves all where there is room, and one where there is none", () => {
    expect(fitting(shown(SIGNALS), 5000)).toEqual(shown(SIGNALS));
    expect(names(shown(LOGS), 0)).toEqual(["message"]);
  });

  it("leaves in a narrow window what can be read without scrolling", () => {
    const tight = (width: number) => fitting(shown(SIGNALS), width, true).map(({ id }) => id);
    expect(tight(910)).toEqual(SIGNALS.defaults.columns);
    expect(tight(700)).toEqual(["severity", "state", "title", "entities", "last_seen"]);
  });

  it("drops of attributes that somebody chose the last first", () => {
    const own = ["@a", "@b", "@c"].map((id): ExplorerColumn => ({ id, header: id, width: 160, render: () => null }));
    expect(names(own, 330)).toEqual(["@a", "@b"]);
  });
});
