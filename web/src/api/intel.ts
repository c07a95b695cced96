/** Threat intelligence: feeds with what they hold, the indicators that logs hold, hunts. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, post, request } from "./client";
import type { FeedAnswer, FeedAttributes, FeedItem, FeedList, HuntList, IndicatorList, IocDetailAnswer, IocFacetsAnswer, IocListAnswer, IocTriageAnswer, LookupAnswer } from "./generated/types.gen";

export type { FeedAttributes, FeedItem, HuntItem, IndicatorItem, IocDetailItem, IocItem, ListingItem } from "./generated/types.gen";
export type Health = FeedItem["attributes"]["health"];
export type ReviewState = "not_reviewed" | "reviewed";

const BASE = "/api/v2/security/siem/threat-intel";
const EXPLORER = "/api/v2/security/siem/ioc-explorer";
const PAGE = 100;
const POLL = 15_000;
/** While a feed is about to be fetched: somebody waits for it. */
const POLL_DUE = 1_500;

const feedPath = (id: string, rest = ""): string => `${BASE}/feeds/${encodeURIComponent(id)}${rest}`;

export const intelKeys = { feeds: ["intel", "feeds"] as const, indicators: ["intel", "iocs"] as const };

/** Refreshes happen on a schedule, so the list looks again by itself. */
export const feedsQuery = queryOptions({
  queryKey: intelKeys.feeds,
  queryFn: async ({ signal }) => (await get<FeedList>(`${BASE}/feeds`, signal)).data,
  refetchInterval: ({ state }) => (state.data?.some(isDue) ? POLL_DUE : POLL),
});

/** Whether a worker is to fetch it at the next opportunity. */
export const isDue = ({ attributes: { is_enabled: isEnabled, health } }: FeedItem): boolean => isEnabled && health.next_refresh_at !== null && Date.parse(health.next_refresh_at) <= Date.now();

/** `firstSeen`: those that one refresh brought; empty: all. */
export const feedIndicatorsQuery = (id: string, version: number, search: string, firstSeen: string) =>
  infiniteQueryOptions({
    queryKey: ["intel", "feed", id, version, "indicators", search, firstSeen],
    queryFn: ({ pageParam, signal }) => {
      const parameters = new URLSearchParams({ "page[size]": String(PAGE), "page[number]": String(pageParam), query: search, first_seen: firstSeen });
      return get<IndicatorList>(feedPath(id, `/indicators?${parameters.toString()}`), signal);
    },
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (pages.length * PAGE < page.meta.page.total_count ? pages.length : null),
    placeholderData: keepPreviousData,
  });

/** What all feeds say of a value, and of what holds it. */
export const lookupQuery = (indicator: string) =>
  queryOptions({
    queryKey: ["intel", "lookup", indicator],
    queryFn: async ({ signal }) => (await get<LookupAnswer>(`${BASE}/lookup?${new URLSearchParams({ indicator }).toString()}`, signal)).data,
    placeholderData: keepPreviousData,
    retry: false,
  });

/** Of one feed, or the latest of all. */
export const huntsQuery = (feedId: string | null) =>
  queryOptions({
    queryKey: ["intel", "hunts", feedId],
    queryFn: async ({ signal }) => (await get<HuntList>(feedId === null ? `${BASE}/hunts` : feedPath(feedId, "/hunts"), signal)).data,
    refetchInterval: POLL,
  });

const bodyOf = (attributes: FeedAttributes) => ({ data: { type: "threat_intel_feed", attributes } });

export const createFeed = async (attributes: FeedAttributes): Promise<FeedItem> => (await post<FeedAnswer>(`${BASE}/feeds`, bodyOf(attributes))).data;
export const updateFeed = async (id: string, attributes: FeedAttributes): Promise<FeedItem> => (await request<FeedAnswer>("PUT", feedPath(id), { body: bodyOf(attributes) })).data;
export const deleteFeed = (id: string): Promise<undefined> => request<undefined>("DELETE", feedPath(id));
export const refreshFeed = async (id: string): Promise<FeedItem> => (await post<FeedAnswer>(feedPath(id, "/refresh"), {})).data;
export const uploadFeed = async (id: string, file: Blob): Promise<FeedItem> => (await request<FeedAnswer>("PUT", feedPath(id, "/content"), { raw: file })).data;

/** Changes that one member and sends the rest as it is now, not as a page saw it some time ago. */
export async function setFeedEnabled(id: string, isEnabled: boolean): Promise<FeedItem> {
  const { attributes } = (await get<FeedAnswer>(feedPath(id))).data;
  return updateFeed(id, settingsOf(attributes, { is_enabled: isEnabled }));
}

/** What people choose of a feed, with changes; without a secret the present one stays. */
export function settingsOf(shown: FeedItem["attributes"], change: Partial<FeedAttributes> = {}): FeedAttributes {
  const { name, format, location, indicator_type, columns, delimiter, defaults, refresh_interval, retro_hunt, is_enabled } = shown;
  const { type, user_name, header_name } = shown.authentication;
  const authentication = { type: type as NonNullable<FeedAttributes["authentication"]>["type"], user_name, header_name };
  return { name, format, location, indicator_type, columns, delimiter, defaults, refresh_interval, authentication, retro_hunt, is_enabled, ...change };
}

/** Indicators that logs of the last 30 days hold; `sort` as in `-score`. */
export const iocsQuery = (query: string, sort: string) =>
  infiniteQueryOptions({
    queryKey: [...intelKeys.indicators, "list", query, sort],
    queryFn: async ({ pageParam, signal }) => {
      const descending = sort.startsWith("-");
      const parameters = new URLSearchParams({ query: query || "*", limit: String(PAGE), offset: String(pageParam), "sort[column]": sort.replace(/^-/, ""), "sort[order]": descending ? "desc" : "asc" });
      return (await get<IocListAnswer>(`${EXPLORER}?${parameters.toString()}`, signal)).data.attributes;
    },
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (pages.length * PAGE < page.metadata.count ? pages.length * PAGE : null),
    placeholderData: keepPreviousData,
    retry: false,
  });

export const iocFacetsQuery = (query: string) =>
  queryOptions({
    queryKey: [...intelKeys.indicators, "facets", query],
    queryFn: async ({ signal }) => (await get<IocFacetsAnswer>(`${EXPLORER}/facets?${new URLSearchParams({ query: query || "*" }).toString()}`, signal)).data,
    placeholderData: keepPreviousData,
    retry: false,
  });

export const iocQuery = (indicator: string) =>
  queryOptions({
    queryKey: [...intelKeys.indicators, "one", indicator],
    queryFn: async ({ signal }) => (await get<IocDetailAnswer>(`${EXPLORER}/indicator?${new URLSearchParams({ indicator, include_triage_history: "true" }).toString()}`, signal)).data.attributes.data,
    retry: false,
  });

export const reviewIoc = (indicator: string, state: ReviewState): Promise<IocTriageAnswer> =>
  post<IocTriageAnswer>(`${EXPLORER}/triage`, { data: { type: "ioc_triage_state", attributes: { indicator, triage_state: state } } });
