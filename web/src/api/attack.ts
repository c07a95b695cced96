/** The ATT&CK map of the rules that a search finds. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "./client";
import type { AttackMapAnswer } from "./generated/types.gen";

export type { AttackMapAnswer, AttackTactic, AttackTechnique, AttackTile } from "./generated/types.gen";

export const attackMapQuery = (query: string, sources: "active" | "all", from: string, to: string) =>
  queryOptions({
    queryKey: ["rules", "attack-map", query, sources, from, to],
    queryFn: ({ signal }) => get<AttackMapAnswer>(`/api/v2/security_monitoring/attack_map?${new URLSearchParams({ query, sources, from, to }).toString()}`, signal),
    placeholderData: keepPreviousData,
  });
