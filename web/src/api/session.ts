/** Who is signed in and what they may do. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { get, request, setCsrfToken } from "./client";
import type { Resource, UserAttributes } from "./types";

interface SessionAnswer {
  data: { attributes: { csrf_token: string; expires_at: string | number } };
}

export interface Me {
  uuid: string;
  name: string;
  handle: string;
  email: string;
  permissions: ReadonlySet<string>;
}

async function fetchMe(signal?: AbortSignal): Promise<Me> {
  const session = await request<SessionAnswer>("GET", "/api/v2/session", { signal, keepSession: true });
  setCsrfToken(session.data.attributes.csrf_token);
  const user = (await get<{ data: Resource<UserAttributes> }>("/api/v2/current_user", signal)).data;
  const permissions = await get<{ data: Resource<{ name: string }>[] }>(`/api/v2/users/${user.id}/permissions`, signal);
  return {
    uuid: user.id,
    name: user.attributes.name ?? user.attributes.handle,
    handle: user.attributes.handle,
    email: user.attributes.email,
    permissions: new Set(permissions.data.map((permission) => permission.attributes.name)),
  };
}

export const meQuery = queryOptions({ queryKey: ["me"], queryFn: ({ signal }) => fetchMe(signal), staleTime: 300_000, retry: false });

/** The person of this session; the shell shows no page before it is known. */
export function useMe(): Me {
  const { data } = useQuery(meQuery);
  return data ?? { uuid: "", name: "", handle: "", email: "", permissions: new Set() };
}

export const useMay = (permission: string): boolean => useMe().permissions.has(permission);

export async function signIn(email: string, password: string): Promise<void> {
  const session = await request<SessionAnswer>("POST", "/api/v2/session", { body: { email, password }, keepSession: true });
  setCsrfToken(session.data.attributes.csrf_token);
}

export async function signOut(everywhere: boolean): Promise<void> {
  await request<undefined>("DELETE", everywhere ? "/api/v2/session/all" : "/api/v2/session");
  setCsrfToken(null);
}
