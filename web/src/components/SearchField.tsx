import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useRef } from "react";
import { useHotkeys } from "./hotkeys";
import { Icon } from "./icons";
import page from "./Page.module.css";
import { useTyped } from "./useTyped";

const PAUSE_MS = 250;

export interface SearchFieldProps {
  label: string;
  placeholder: string;
  /** What is searched now, as the address says. */
  value: string;
  onSearch: (text: string) => void;
  /** For queries, which are read character by character. */
  isQuery?: boolean;
  /** Leads here; another one where a page has two. */
  hotkey?: { keys: string[]; label: string };
}

const SLASH = { keys: ["/"], label: "Search" };

/** Searches when typing pauses; follows the address when something else changes it; `/` leads here. */
export function SearchField({ label, placeholder, value, onSearch, isQuery = false, hotkey = SLASH }: SearchFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const { text, setText, willSend } = useTyped(value);
  const search = useDebouncedCallback((next: string) => {
    const wanted = next.trim();
    willSend(wanted);
    onSearch(wanted);
  }, PAUSE_MS);
  useHotkeys([{ ...hotkey, group: "Everywhere", run: () => field.current?.focus() }]);
  return (
    <TextInput
      ref={field}
      size="xs"
      className={page.search}
      classNames={isQuery ? { input: page.mono } : {}}
      aria-label={label}
      placeholder={placeholder}
      leftSection={<Icon name="search" size={14} />}
      spellCheck={false}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        search(event.currentTarget.value);
      }}
    />
  );
}
