import { useLayoutEffect, useRef, useSyncExternalStore } from "react";
import { type Hotkey, HotkeyRegistry } from "@/lib/hotkeys";

const registry = new HotkeyRegistry();

/** Listens once for the whole app. */
export function useHotkeyListener(): void {
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent) => {
      // Menus, pop-ups and dialogs have keys of their own.
      const inOverlay = event.target instanceof Element && event.target.closest("[data-portal]") !== null;
      if (!event.defaultPrevented && !inOverlay) registry.handle(event);
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

/**
 * Keys of a component while it is on the screen; handlers are always the latest ones. Whoever sees it can press them: they
 * work before it is painted.
 */
export function useHotkeys(hotkeys: Hotkey[], enabled = true): void {
  const latest = useRef(hotkeys);
  useLayoutEffect(() => {
    latest.current = hotkeys;
  });
  const shape = hotkeys.map((hotkey) => `${hotkey.keys.join(" ")}\t${hotkey.label}`).join("\n");
  useLayoutEffect(() => {
    if (!enabled) return undefined;
    return registry.register(
      latest.current.map((hotkey, index) => ({ ...hotkey, run: (event) => latest.current[index]?.run(event), when: (event) => latest.current[index]?.when?.(event) ?? true })),
    );
  }, [shape, enabled]);
}

/** What the help shows: everything that works right now. */
export const useHotkeyList = (): Hotkey[] => useSyncExternalStore(registry.subscribe, registry.list);
