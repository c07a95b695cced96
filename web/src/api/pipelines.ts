/** Pipelines of logs: read, change, order, try. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, post, request } from "./client";
import type { PipelineAnswer, PipelineOrder, PipelineTestResult, PipelineTestResults } from "./generated/types.gen";

export type { PipelineStep, PipelineTestResult } from "./generated/types.gen";

/** Its members depend on `type`; the server keeps and answers them as they were given. */
export type Processor = { type: string } & Record<string, unknown>;

export interface Pipeline extends Omit<PipelineAnswer, "processors" | "filter" | "tags" | "description"> {
  processors: Processor[];
  filter: { query?: string | null };
  tags: string[];
  description?: string;
}

export type PipelineDraft = Pick<Pipeline, "name" | "is_enabled" | "filter" | "processors" | "tags" | "description">;

/** A text, or an object with `message`, reserved attributes and attributes. */
export type Sample = string | Record<string, unknown>;

const BASE = "/api/v1/logs/config";
const path = (id: string): string => `${BASE}/pipelines/${encodeURIComponent(id)}`;

export const pipelineKeys = { all: ["pipelines"] as const };

export const pipelinesQuery = queryOptions({ queryKey: [...pipelineKeys.all, "list"], queryFn: ({ signal }) => get<Pipeline[]>(`${BASE}/pipelines`, signal) });

export const pipelineQuery = (id: string) => queryOptions({ queryKey: [...pipelineKeys.all, "one", id], queryFn: ({ signal }) => get<Pipeline>(path(id), signal) });

/** What a draft does to samples, and whether it is valid at all. */
export const pipelineTestQuery = (draft: PipelineDraft, samples: Sample[]) =>
  queryOptions({
    queryKey: ["pipeline-test", draft, samples],
    queryFn: async ({ signal }): Promise<PipelineTestResult[]> => (await post<PipelineTestResults>(`${BASE}/pipelines/test`, { pipeline: { ...draft, name: draft.name || "untitled" }, samples }, signal)).results,
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 10_000,
    staleTime: 60_000,
  });

export const createPipeline = (draft: PipelineDraft): Promise<Pipeline> => post<Pipeline>(`${BASE}/pipelines`, draft);

/** `version` is the one that was seen, null to save whatever has become of it meanwhile. */
export const updatePipeline = (id: string, draft: PipelineDraft, version: string | null): Promise<Pipeline> => request<Pipeline>("PUT", path(id), { body: version === null ? draft : { ...draft, version } });

export const deletePipeline = (id: string): Promise<undefined> => request<undefined>("DELETE", path(id));
export const arrangePipelines = (ids: readonly string[]): Promise<PipelineOrder> => request<PipelineOrder>("PUT", `${BASE}/pipeline-order`, { body: { pipeline_ids: ids } });
