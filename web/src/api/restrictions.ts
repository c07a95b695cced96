/** Who may change a single rule or suppression (response.md §6.5). */
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { get, post, request } from "./client";
import type { RestrictionList, RestrictionResource } from "./generated/types.gen";

export type Restriction = RestrictionResource;
export type RestrictedType = "security-rule" | "security-suppression";

const BASE = "/api/v2/restriction_policy";
const EDITOR = "editor";

export const restrictionKeys = { all: ["restrictions"] as const };

const path = (type: RestrictedType, id: string): string => `${BASE}/${encodeURIComponent(`${type}:${id}`)}`;

/** All policies of a type: what has none is not restricted. */
export const restrictionsQuery = (type: RestrictedType) =>
  queryOptions({
    queryKey: [...restrictionKeys.all, type],
    queryFn: async ({ signal }) => (await get<RestrictionList>(`${BASE}?type=${type}`, signal)).data,
    placeholderData: keepPreviousData,
  });

export const restrictionQuery = (type: RestrictedType, id: string) =>
  queryOptions({ queryKey: [...restrictionKeys.all, type, id], queryFn: async ({ signal }) => (await get<{ data: Restriction }>(path(type, id), signal)).data });

/** These principals, and nobody else, may change it; none of them: everybody may. What else the policy says stays. */
export async function restrict(type: RestrictedType, id: string, read: Restriction, editors: readonly string[]): Promise<Restriction> {
  const others = read.attributes.bindings.filter((binding) => binding.relation !== EDITOR);
  const bindings = editors.length > 0 ? [{ relation: EDITOR, principals: [...editors] }, ...others] : [];
  return (await post<{ data: Restriction }>(path(type, id), { data: { type: "restriction_policy", attributes: { bindings, version: read.meta.version } } })).data;
}

/** Makes the person an editor, who must manage people. */
export const takeOver = async (type: RestrictedType, id: string): Promise<Restriction> => (await request<{ data: Restriction }>("POST", `${path(type, id)}/elevate`)).data;

/** The principals that may change it. */
export const editorsOf = (restriction: Restriction): string[] => restriction.attributes.bindings.filter((binding) => binding.relation === EDITOR).flatMap((binding) => binding.principals);

/** Who may change it, as a sentence. */
export function whoMay(restriction: Restriction): string {
  const names = editorsOf(restriction).flatMap((principal) => restriction.meta.names[principal] ?? []);
  const shown = names.length > 4 ? [...names.slice(0, 3), `${String(names.length - 3)} more`] : names;
  return shown.length > 0 ? `Restricted: only ${shown.join(", ")} may change it` : "Restricted: it has no editor any more; who manages people can take it over";
}

/** The same of a suppression, which says itself that it is not the person's, also before its policy has come. */
export const closedBy = (restriction: Restriction | undefined): string => (restriction ? whoMay(restriction) : "This suppression is restricted");

/** What is known of each thing that is restricted, by its id. */
export function useRestrictions(type: RestrictedType): (id: string) => Restriction | undefined {
  const { data } = useQuery(restrictionsQuery(type));
  return (id) => data?.find((one) => one.id === `${type}:${id}` && one.meta.restricted);
}
