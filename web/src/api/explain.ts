/** Why a signal is there, and why a rule did not fire (docs/why.md). */
import { queryOptions } from "@tanstack/react-query";
import { get, post } from "./client";
import type { RuleExplanationAttributes } from "./generated/types.gen";
import type { SignalQuery, Verdict } from "./types";

export type RuleExplanation = RuleExplanationAttributes;

export interface Place {
  city: string | null;
  country: string | null;
  ip: string | null;
  /** Unix milliseconds. */
  timestamp: number;
}

/** What a method that learns, or compares, had before it (the server leaves it open, by method). */
export interface Baseline {
  new_value?: { fields: string[]; values: string[]; known_values: number; recent_values?: string[] };
  anomaly?: { bound: number; value: number; excess: number; limit: number; percentile: number; bucket_seconds: number; history_buckets: number; is_seasonal: boolean };
  content_anomaly?: { fields: string[]; similarity_threshold: number; similar_items: number; nearest_similarity?: number; new_words?: string[] };
  impossible_travel?: { triggering_locations: { first_location: Place; second_location: Place }; travel_distance: number; travel_speed: number; previous_locations: Place[] };
  sequence?: { steps: string[] };
  [method: string]: unknown;
}

export interface Indicator {
  type: string;
  indicator: string;
  category: string | null;
  intention: string | null;
  source: { name?: string; url?: string };
  events: number;
}

export interface SignalExplanation {
  summary: string;
  rule: { id: string; name: string; type: string; detection_method: string; version: number; current_version: number | null; is_current: boolean; is_enabled: boolean; is_deleted: boolean };
  group: { field: string; value: string | string[] }[];
  queries: SignalQuery[];
  window: { seconds: number; to: string; events: number; keep_alive_seconds: number; max_signal_duration_seconds: number };
  case: ExplainedCase;
  opened: ExplainedCase;
  severity: { case: string; signal: string; changes: (ExplainedCase & { from: string })[]; adjustments: { kind: string; from: string; to: string; because: string }[] };
  baseline: Baseline;
  threat_intel: Indicator[];
  events: { matched: number; first_seen: string; last_seen: string; hits: number; attributes_from: number };
  suppression: { state: "shown" | "hidden" | "updates_hidden"; since?: string; suppressions?: { id: string; name: string; version: number }[]; events_matched_with_updates?: number; severity_with_updates?: string };
  closing: { is_open: boolean; at: string; because: string; last_hit_at: string };
  found: { triggering_event_at: string; discovered_at: string; delay_seconds: number };
}

/** A case that held, at which event. */
export type ExplainedCase = Verdict & { case_index: number; event_id: string };

export const signalExplanationQuery = (id: string) =>
  queryOptions({
    queryKey: ["signal", id, "explanation"],
    queryFn: async ({ signal }) => (await get<{ data: { attributes: SignalExplanation } }>(`/api/v2/security_monitoring/signals/${encodeURIComponent(id)}/explain`, signal)).data.attributes,
  });

/** Why the rule did not fire for the entity around a moment (Unix milliseconds), or in a span. */
export interface WhyNotQuestion {
  entity: Record<string, string>;
  at?: number;
  from?: number;
  to?: number;
}

export const ruleExplanationQuery = (ruleId: string, question: WhyNotQuestion | null) =>
  queryOptions({
    queryKey: ["rule", ruleId, "why-not", question],
    queryFn: async ({ signal }) => (await post<{ data: { attributes: RuleExplanation } }>(`/api/v2/security_monitoring/rules/${encodeURIComponent(ruleId)}/explain`, question, signal)).data.attributes,
    enabled: question !== null,
    retry: false,
    staleTime: 60_000,
  });
