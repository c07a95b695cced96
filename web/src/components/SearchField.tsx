import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useRef, useState } from "react";
import { useHotkeys } from "./hotkeys";
import { Icon } from "./icons";
import page from "./Page.module.css";

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
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const [sent, setSent] = useState<readonly string[]>([]);
  if (seen !== value) {
    setSeen(value);
    // What was searched here comes back later, perhaps after more of it was sent: typing has gone on meanwhile.
    const at = sent.indexOf(value);
    if (at < 0) setText(value);
    setSent(sent.slice(at + 1 || sent.length));
  }
  const search = useDebouncedCallback((next: string) => {
    const wanted = next.trim();
    if (wanted !== (sent.at(-1) ?? value)) setSent([...sent, wanted]);
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
