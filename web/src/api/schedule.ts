/** When a scheduled rule runs, and how its runs went (docs/scheduled-rules.md). */
import { queryOptions } from "@tanstack/react-query";
import { get } from "./client";
import type { RuleScheduleAnswer } from "./generated/types.gen";

export type { RuleScheduleAttributes, ScheduledRun } from "./generated/types.gen";

/** Asked anew while somebody looks: a run may end at any moment. */
export const scheduleQuery = (id: string) =>
  queryOptions({
    queryKey: ["rule", id, "schedule"],
    queryFn: async ({ signal }) => (await get<RuleScheduleAnswer>(`/api/v2/security_monitoring/rules/${encodeURIComponent(id)}/schedule`, signal)).data.attributes,
    refetchInterval: 30_000,
  });
