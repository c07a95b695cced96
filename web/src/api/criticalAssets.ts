/** Critical assets: what a signal is about decides how severe it is. */
import { queryOptions } from "@tanstack/react-query";
import { get, post, request } from "./client";
import type { AssetAnswer, AssetAnswerAttributes, AssetAnswerData, AssetList } from "./generated/types.gen";

export type CriticalAsset = AssetAnswerData;
export type AssetDraft = Pick<AssetAnswerAttributes, "query" | "rule_query" | "severity" | "enabled" | "description" | "tags">;

const BASE = "/api/v2/security_monitoring/configuration/critical_assets";
const body = (attributes: object): object => ({ data: { type: "critical_assets", attributes } });

export const criticalAssetsQuery = queryOptions({ queryKey: ["critical-assets"], queryFn: async ({ signal }) => (await get<AssetList>(BASE, signal)).data });

export const createAsset = (draft: AssetDraft): Promise<AssetAnswer> => post(BASE, body(draft));
export const updateAsset = (id: string, changes: Partial<AssetDraft> & { version: number }): Promise<AssetAnswer> => request("PATCH", `${BASE}/${encodeURIComponent(id)}`, { body: body(changes) });
export const deleteAsset = (id: string): Promise<undefined> => request("DELETE", `${BASE}/${encodeURIComponent(id)}`);
