import { useQuery } from "@tanstack/react-query";
import { timeseriesQuery } from "@/api/explore";
import { TREND_BUCKETS } from "./Trend";
import type { ExplorerHandle } from "./model";

/** How many events the search finds: the trend's total, asked once for both. */
export function useTotal({ config, filter }: ExplorerHandle): number | undefined {
  return useQuery(timeseriesQuery(config.track, filter, TREND_BUCKETS)).data?.meta.total;
}
