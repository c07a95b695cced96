/** When a scheduled rule runs, and how its runs went (docs/scheduled-rules.md). */
import { queryOptions } from "@tanstack/react-query";
import { get, post } from "./client";
import type { NextRunsAnswer, RuleScheduleAnswer, ScheduleBody } from "./generated/types.gen";

export type { RuleScheduleAttributes, ScheduledRun } from "./generated/types.gen";

/** Asked anew while somebody looks: a run may end at any moment. */
export const scheduleQuery = (id: string) =>
  queryOptions({
    queryKey: ["rule", id, "schedule"],
    queryFn: async ({ signal }) => (await get<RuleScheduleAnswer>(`/api/v2/security_monitoring/rules/${encodeURIComponent(id)}/schedule`, signal)).data.attributes,
    refetchInterval: 30_000,
  });

/** The next times of a schedule that need not be stored. */
export const nextRunsQuery = (schedule: ScheduleBody) =>
  queryOptions({
    queryKey: ["next-runs", schedule],
    queryFn: async ({ signal }) => (await post<NextRunsAnswer>("/api/v2/security_monitoring/rules/schedule", schedule, signal)).data.next_runs,
    retry: false,
    staleTime: 30_000,
    gcTime: 60_000,
  });
