import { describe, expect, it, vi } from "vitest";
import { HotkeyRegistry, matches, type Hotkey } from "@/lib/hotkeys";

const press = (key: string, with_: Partial<KeyboardEvent> = {}) => ({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, target: null, preventDefault: vi.fn(), ...with_ }) as unknown as KeyboardEvent;
const hotkey = (keys: string, run: () => void, more: Partial<Hotkey> = {}): Hotkey => ({ keys: [keys], label: keys, group: "Test", run, ...more });

describe("keys", () => {
  it.each([
    ["x", press("x"), true],
    ["x", press("X", { shiftKey: true }), false],
    ["shift+x", press("X", { shiftKey: true }), true],
    ["?", press("?", { shiftKey: true }), true],
    ["[", press("["), true],
    ["mod+k", press("k", { ctrlKey: true }), true],
    ["mod+k", press("k", { metaKey: true }), true],
    ["k", press("k", { ctrlKey: true }), false],
    ["k", press("k", { altKey: true }), false],
  ])("%s", (keys, event, expected) => {
    expect(matches(keys, event)).toBe(expected);
  });
});

describe("the registry", () => {
  it("lets the newest scope win, and the older one again when it is gone", () => {
    const registry = new HotkeyRegistry();
    const [page, panel] = [vi.fn(), vi.fn()];
    registry.register([hotkey("e", page)]);
    const leave = registry.register([hotkey("e", panel)]);
    registry.handle(press("e"));
    leave();
    registry.handle(press("e"));
    expect([page.mock.calls.length, panel.mock.calls.length]).toEqual([1, 1]);
  });

  it("leaves keys alone whose condition does not hold", () => {
    const registry = new HotkeyRegistry();
    registry.register([hotkey("j", vi.fn(), { when: () => false })]);
    const event = press("j");
    expect(registry.handle(event)).toBe(false);
    expect(event.preventDefault).not.toHaveBeenCalled();
  });

  it("lists what works for the help", () => {
    const registry = new HotkeyRegistry();
    const leave = registry.register([hotkey("j", vi.fn())]);
    expect(registry.list().map((item) => item.label)).toEqual(["j"]);
    leave();
    expect(registry.list()).toEqual([]);
  });
});
