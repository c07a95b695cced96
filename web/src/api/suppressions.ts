/** Suppressions: list, read, write, check, preview, versions (siem.md §5). */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { sentence } from "@/lib/format";
import { get, post, request } from "./client";
import { ApiError, type FieldFault } from "./errors";
import type { ExcludedAttributes, PreviewAnswerAttributes, SuppressionHistory, SuppressionList, SuppressionResource, TerraformResource } from "./generated/types.gen";

export type Suppression = SuppressionResource;
export type SuppressionPreview = PreviewAnswerAttributes;
export type Excluded = ExcludedAttributes;

/** The permission to change suppressions. */
export const SUPPRESSIONS_WRITE = "security_monitoring_suppressions_write";

const TERRAFORM = "/api/v2/security_monitoring/terraform/suppressions";
const BASE = "/api/v2/security_monitoring/configuration/suppressions";
const KEY = "suppressions";
const path = (id: string): string => `${BASE}/${encodeURIComponent(id)}`;

/** What people write of a suppression; times in Unix milliseconds. */
export interface SuppressionFields {
  name: string;
  description: string;
  enabled: boolean;
  rule_query: string;
  suppression_query: string;
  data_exclusion_query: string;
  start_date: number | null;
  expiration_date: number | null;
  tags: string[];
}

export const suppressionsQuery = (query: string, sort: string) =>
  queryOptions({
    queryKey: [KEY, "list", query, sort],
    queryFn: ({ signal }) => get<SuppressionList>(`${BASE}?${new URLSearchParams({ query, sort }).toString()}`, signal),
    placeholderData: keepPreviousData,
  });

/** The suppression, in this version, as a Terraform resource. */
export const suppressionAsTerraformQuery = (id: string, version: number) =>
  queryOptions({
    queryKey: [KEY, "terraform", id, version],
    queryFn: async ({ signal }) => (await get<TerraformResource>(`${TERRAFORM}/${encodeURIComponent(id)}`, signal)).data.attributes.output,
  });

export const suppressionQuery = (id: string) =>
  queryOptions({ queryKey: [KEY, "one", id], queryFn: async ({ signal }) => (await get<{ data: Suppression }>(path(id), signal)).data });

export const suppressionHistoryQuery = (id: string) =>
  queryOptions({
    queryKey: [KEY, "history", id],
    queryFn: async ({ signal }) => (await get<SuppressionHistory>(`${path(id)}/version_history?page[size]=100`, signal)).data.attributes,
  });

/** What these queries would have hidden in the last days; the other members do not count. */
export const previewQuery = (fields: Pick<SuppressionFields, "rule_query" | "suppression_query" | "data_exclusion_query" | "expiration_date">, days: number) => {
  const { rule_query, suppression_query, data_exclusion_query, expiration_date } = fields;
  const attributes = { rule_query, suppression_query, data_exclusion_query, expiration_date };
  return queryOptions({
    queryKey: [KEY, "preview", attributes, days],
    queryFn: async ({ signal }) => (await post<{ data: { attributes: SuppressionPreview } }>(`${BASE}/preview?days=${String(days)}`, { data: { type: "suppressions", attributes } }, signal)).data.attributes,
    placeholderData: keepPreviousData,
    retry: false,
  });
};

/** Which events it has kept from rules in the last days. */
export const excludedQuery = (id: string, days: number) =>
  queryOptions({
    queryKey: [KEY, "excluded", id, days],
    queryFn: async ({ signal }) => (await get<{ data: { attributes: Excluded } }>(`${path(id)}/excluded?days=${String(days)}`, signal)).data.attributes,
    retry: false,
  });

/** Nothing when it could be saved; else the query's error says why, field by field (`suppressionFaults`). */
export const validationQuery = (fields: SuppressionFields) =>
  queryOptions({
    queryKey: [KEY, "validation", fields],
    queryFn: ({ signal }) => post<undefined>(`${BASE}/validation`, body(fields), signal).then(() => true),
    retry: false,
    staleTime: Infinity,
    gcTime: 10_000,
  });

export const suppressionKeys = { all: [KEY] as const };

export const createSuppression = async (fields: SuppressionFields): Promise<Suppression> => (await post<{ data: Suppression }>(BASE, body(fields))).data;

export const updateSuppression = async (id: string, fields: Partial<SuppressionFields>, version: number): Promise<Suppression> =>
  (await request<{ data: Suppression }>("PATCH", path(id), { body: body({ ...fields, version }) })).data;

export const deleteSuppression = (id: string): Promise<undefined> => request<undefined>("DELETE", path(id));

const body = (attributes: object) => ({ data: { type: "suppressions", attributes } });

const FIELD = /^(name|description|rule_query|suppression_query|data_exclusion_query|start_date|expiration_date|tags)\b:?\s*/;
const GENERAL = "Invalid suppression";

/** The server's reasons at the fields that they are about; without a field they are about the whole. */
export function suppressionFaults(error: unknown): FieldFault[] {
  if (!(error instanceof ApiError)) return [];
  return error.messages.filter((message) => message !== GENERAL).map((message) => ({ target: FIELD.exec(message)?.[1] ?? "", message: sentence(message.replace(FIELD, "")) }));
}
