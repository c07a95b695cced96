/** Content packs: what there is for a source, in what state it is, and sample logs of it. */
import { queryOptions } from "@tanstack/react-query";
import { get, post, request } from "./client";
import type { PackData, PackList } from "./generated/types.gen";

export type Pack = PackData;
export type { GuideStep } from "./generated/types.gen";
export type PackStatus = Pack["attributes"]["status"];

const BASE = "/api/v2/security_monitoring/content_packs";
const SUBSCRIPTIONS = "/api/v2/security_monitoring/sample_log_generation/subscriptions";
/** Who connects a source looks here whether its first log has come. */
const POLL = 15_000;

export const packsQuery = queryOptions({
  queryKey: ["content-packs"],
  queryFn: async ({ signal }) => (await get<PackList>(BASE, signal)).data,
  refetchInterval: POLL,
});

export const setPackActive = (id: string, isActive: boolean): Promise<unknown> => request("PUT", `${BASE}/${encodeURIComponent(id)}/${isActive ? "activate" : "deactivate"}`);

export const DURATIONS = ["1h", "1d", "3d", "7d"] as const;
export type Duration = (typeof DURATIONS)[number];

export const subscribe = (id: string, duration: Duration): Promise<unknown> => post(SUBSCRIPTIONS, { data: { type: "subscription_requests", attributes: { content_pack_id: id, duration } } });

export const unsubscribe = (id: string): Promise<unknown> => request("DELETE", `${SUBSCRIPTIONS}/${encodeURIComponent(id)}`);
