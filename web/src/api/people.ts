/** Users, roles and keys. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, post, request } from "./client";
import type { UsersResponse } from "./generated/types.gen";
import type { KeyAttributes, Resource, RoleAttributes, UserAttributes } from "./types";

const PAGE = 100;

const usersPage = (text: string, number: number, signal: AbortSignal) => get<{ data: Resource<UserAttributes>[]; meta: UsersResponse["meta"] }>(`/api/v2/users?${new URLSearchParams({ "page[size]": String(PAGE), "page[number]": String(number), sort: "name", filter: text }).toString()}`, signal);

/** People whose name, e-mail or title has the text, by name. */
export const peopleQuery = (text: string) =>
  infiniteQueryOptions({
    queryKey: ["users", "pages", text],
    queryFn: ({ pageParam, signal }) => usersPage(text, pageParam, signal),
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (page.data.length < PAGE ? null : pages.length),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

/** The first of them, for a choice. */
export const usersQuery = (text = "") =>
  queryOptions({ queryKey: ["users", "choices", text], queryFn: ({ signal }) => usersPage(text, 0, signal), placeholderData: keepPreviousData, staleTime: 60_000 });

const rolesPage = (text: string, signal: AbortSignal) => get<{ data: Resource<RoleAttributes>[] }>(`/api/v2/roles?${new URLSearchParams({ "page[size]": String(PAGE), "page[number]": "0", filter: text }).toString()}`, signal);

export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  queryFn: ({ signal }) => rolesPage("", signal),
  staleTime: 60_000,
});

/** Roles whose name has the text, for a choice. */
export const rolesFoundQuery = (text: string) =>
  queryOptions({ queryKey: ["roles", "choices", text], queryFn: ({ signal }) => rolesPage(text, signal), placeholderData: keepPreviousData, staleTime: 60_000 });

export const inviteUser = (email: string, name: string, roleId: string): Promise<{ data: Resource<UserAttributes> }> =>
  post("/api/v2/users", {
    data: { type: "users", attributes: { email, name }, relationships: { roles: { data: [{ id: roleId, type: "roles" }] } } },
  });

export const setUserDisabled = (id: string, disabled: boolean): Promise<unknown> =>
  request("PATCH", `/api/v2/users/${id}`, { body: { data: { id, type: "users", attributes: { disabled } } } });

/** Another person's password needs no old one; one's own does. */
export const setPassword = (userId: string | null, password: string, current: string): Promise<unknown> =>
  userId === null
    ? request("PUT", "/api/v2/current_user/password", { body: { data: { type: "passwords", attributes: { password, current_password: current } } } })
    : request("PUT", `/api/v2/users/${userId}/password`, { body: { data: { type: "passwords", attributes: { password } } } });

export type KeyKind = "api_keys" | "application_keys";
const KEY_PATHS: Record<KeyKind, string> = { api_keys: "/api/v2/api_keys", application_keys: "/api/v2/current_user/application_keys" };

export const keysQuery = (kind: KeyKind) =>
  infiniteQueryOptions({
    queryKey: ["keys", kind],
    queryFn: ({ pageParam, signal }) => get<{ data: Resource<KeyAttributes>[] }>(`${KEY_PATHS[kind]}?page[size]=${String(PAGE)}&page[number]=${String(pageParam)}`, signal),
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (page.data.length < PAGE ? null : pages.length),
  });

export const createKey = async (kind: KeyKind, name: string): Promise<Resource<KeyAttributes>> =>
  (await post<{ data: Resource<KeyAttributes> }>(KEY_PATHS[kind], { data: { type: kind, attributes: { name } } })).data;

export const revokeKey = (kind: KeyKind, id: string): Promise<unknown> => request("DELETE", `${KEY_PATHS[kind]}/${id}`);
