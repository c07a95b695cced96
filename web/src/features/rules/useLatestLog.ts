import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { eventsPage } from "@/api/explore";
import { useMay } from "@/api/session";
import { payloadOf } from "./testEvents";

const DAYS = 7;

/** The latest log of the last week that a query finds, as it could be sent again. */
export function useLatestLog(query: string): Record<string, unknown> | null {
  const may = useMay("logs_read_data");
  const [settled] = useDebouncedValue(query.trim(), 800);
  const found = useQuery({
    queryKey: ["latest-log", settled],
    queryFn: ({ signal }) => eventsPage("logs", { query: settled, from: `now-${String(DAYS)}d`, to: "now" }, { field: "timestamp", descending: true }, null, 1, signal),
    enabled: may && settled !== "" && settled === query.trim(),
    staleTime: 60_000,
    retry: false,
  });
  const event = found.data?.data[0];
  return event ? payloadOf(event) : null;
}
