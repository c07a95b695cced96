import { useMemo } from "react";
import type { Track } from "@/api/types";
import { QueryField as Field } from "@/components/QueryField";
import { useNow } from "@/components/useNow";
import { resolveTime } from "@/lib/time";
import { useEditor, useField } from "../editor";

interface Props {
  label: string;
  hideLabel?: boolean;
  placeholder?: string;
  target: string;
  value: string;
  onChange: (text: string) => void;
  disabled?: boolean;
  track?: Track;
}

const MINUTE = 60_000;

/** A query of the rule; completion counts in the range of the preview. */
export function QueryField({ label, hideLabel = false, placeholder = "source:sshd @evt.outcome:failure", target, value, onChange, disabled = false, track = "logs" }: Props) {
  const { range } = useEditor();
  const field = useField();
  const now = Math.floor(useNow() / MINUTE) * MINUTE;
  const [from, to] = useMemo(() => [range.from, range.to].map((text) => new Date(resolveTime(text, now, "utc") ?? now).toISOString()), [range, now]);
  return (
    <div data-target={target}>
      <Field track={track} label={label} hideLabel={hideLabel} placeholder={placeholder} value={value} error={field(target).error} disabled={disabled} from={from ?? ""} to={to ?? ""} onChange={onChange} />
    </div>
  );
}
