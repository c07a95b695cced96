/** One registry feeds the handlers and the help; off while typing unless a key says otherwise. */
export interface Hotkey {
  /** `j`, `shift+x`, `mod+k`, `?`, `ArrowDown`; several ways to the same end are several entries. */
  keys: string[];
  label: string;
  group: string;
  run: (event: KeyboardEvent) => void;
  whileTyping?: boolean;
  /** A further condition, such as where the focus is. */
  when?: (event: KeyboardEvent) => boolean;
}

type Listener = () => void;

export class HotkeyRegistry {
  private scopes: { hotkeys: Hotkey[] }[] = [];
  private listeners = new Set<Listener>();
  private snapshot: Hotkey[] = [];

  /** The newest scope wins; returns how to take it away. */
  register(hotkeys: Hotkey[]): () => void {
    const scope = { hotkeys };
    this.scopes = [...this.scopes, scope];
    this.changed();
    return () => {
      this.scopes = this.scopes.filter((other) => other !== scope);
      this.changed();
    };
  }

  /** Runs what the event stands for; false when nothing took it. */
  handle(event: KeyboardEvent): boolean {
    const typing = isTyping(event.target);
    for (const { hotkeys } of this.scopes.toReversed()) {
      const hotkey = hotkeys.find((item) => item.keys.some((keys) => matches(keys, event)) && (!typing || item.whileTyping) && (item.when?.(event) ?? true));
      if (hotkey) {
        event.preventDefault();
        hotkey.run(event);
        return true;
      }
    }
    return false;
  }

  list = (): Hotkey[] => this.snapshot;

  subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private changed(): void {
    this.snapshot = this.scopes.flatMap((scope) => scope.hotkeys);
    for (const listener of this.listeners) listener();
  }
}

export function matches(keys: string, event: Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">): boolean {
  const parts = keys.split("+");
  const key = parts.pop() ?? "";
  const mod = parts.includes("mod");
  if ((event.ctrlKey || event.metaKey) !== mod || event.altKey) return false;
  if (key.length === 1 && /[a-z]/.test(key)) {
    return event.key.toLowerCase() === key && event.shiftKey === parts.includes("shift");
  }
  return event.key === key; // `?`, `[`: the character says whether shift was needed
}

export function isTyping(target: EventTarget | null): boolean {
  if (typeof HTMLElement === "undefined" || !(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
