import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { complete } from "@/api/explore";
import { useMay } from "@/api/session";
import type { Track } from "@/api/types";
import { useNow } from "@/components/useNow";
import { resolveTime } from "@/lib/time";
import { useEditor } from "../editor";
import { list } from "../ruleDraft";
import type { CalculatedField } from "../scheduling";

const DAY_MS = 86_400_000;

/** Attributes and tags that begin as typed, of the events in the preview's range; of logs, the rule's calculated fields too. */
export function useFieldNames(typed: string, track: Track, enabled: boolean): string[] {
  const may = useMay(track === "logs" ? "logs_read_data" : "security_monitoring_signals_read");
  const { draft, range } = useEditor();
  const now = useNow();
  const [settled] = useDebouncedValue(typed, 150);
  const found = useQuery({
    queryKey: ["field-names", track, settled, range],
    queryFn: () => complete(track, settled, settled.length, new Date(resolveTime(range.from, now, "utc") ?? now - DAY_MS).toISOString(), new Date(resolveTime(range.to, now, "utc") ?? now).toISOString()),
    enabled: enabled && may,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  });
  return useMemo(() => {
    const calculated = track === "logs" ? list<CalculatedField>(draft.calculatedFields).map((each) => `#${each.name}`) : [];
    const stored = found.data?.data.kind === "field" ? found.data.data.options.map((option) => option.insert.replace(/:$/, "")) : [];
    return [...new Set([...calculated, ...stored])];
  }, [draft.calculatedFields, found.data, track]);
}
