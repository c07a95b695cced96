/** Security filters: which logs the rules look at. */
import { queryOptions } from "@tanstack/react-query";
import { get, post, request } from "./client";
import type { ExclusionFilter, FilterAnswerData } from "./generated/types.gen";

export type SecurityFilter = FilterAnswerData;
export type { ExclusionFilter };

const BASE = "/api/v2/security_monitoring/configuration/security_filters";

export interface FilterSettings {
  name: string;
  query: string;
  is_enabled: boolean;
  exclusion_filters: ExclusionFilter[];
}

export const securityFiltersQuery = queryOptions({
  queryKey: ["security-filters"],
  queryFn: async ({ signal }) => (await get<{ data: SecurityFilter[] }>(BASE, signal)).data,
});

const bodyOf = (attributes: object) => ({ data: { type: "security_filters", attributes } });

export const createSecurityFilter = (settings: FilterSettings): Promise<unknown> => post(BASE, bodyOf({ ...settings, filtered_data_type: "logs" }));

/** `version` is the one that was seen; another one by now is a conflict. */
export const updateSecurityFilter = (id: string, version: number, changes: Partial<FilterSettings>): Promise<unknown> =>
  request("PATCH", `${BASE}/${encodeURIComponent(id)}`, { body: bodyOf({ ...changes, version }) });

export const deleteSecurityFilter = (id: string): Promise<undefined> => request<undefined>("DELETE", `${BASE}/${encodeURIComponent(id)}`);
