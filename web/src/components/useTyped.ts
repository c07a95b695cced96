import { useState } from "react";

/**
 * Text that somebody types and sends to the address, and that follows the address when something else changes it. What was
 * sent from here comes back later, perhaps after more of it was sent: typing has gone on meanwhile, and is kept.
 */
export function useTyped(value: string) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const [sent, setSent] = useState<readonly string[]>([]);
  if (seen !== value) {
    setSeen(value);
    const at = sent.indexOf(value);
    if (at < 0) setText(value);
    setSent(sent.slice(at + 1 || sent.length));
  }
  /** To be called with what goes to the address. */
  const willSend = (wanted: string) => {
    if (wanted !== (sent.at(-1) ?? value)) setSent([...sent, wanted]);
  };
  return { text, setText, willSend };
}
