import { MutationCache, QueryClient, type InvalidateOptions, type InvalidateQueryFilters, type QueryKey } from "@tanstack/react-query";
import { ApiError } from "@/api/errors";

/**
 * What is read again after a change is asked after the change, always. The library leaves a first read that is under way
 * as it is, and takes its answer, which may be from before the change, for the present state: a search typed while
 * something is deleted would go on showing it.
 */
class FreshQueryClient extends QueryClient {
  override invalidateQueries<TTaggedQueryKey extends QueryKey = QueryKey>(filters?: InvalidateQueryFilters<TTaggedQueryKey>, options?: InvalidateOptions): Promise<void> {
    for (const query of this.getQueryCache().findAll(filters)) {
      if (query.state.data !== undefined || query.state.fetchStatus === "idle") continue;
      // One that is looked at is asked again below, and whoever awaits it gets that answer; any other when it is looked at.
      const isAsked = query.isActive() && !query.isDisabled() && filters?.refetchType !== "none";
      void query.cancel(isAsked ? { silent: true } : { revert: true });
    }
    return super.invalidateQueries(filters, options);
  }
}

export const queryClient: QueryClient = new FreshQueryClient({
  // A change on one page is seen on every other as soon as it is looked at, however lately that was read.
  mutationCache: new MutationCache({ onSuccess: () => queryClient.invalidateQueries({ type: "inactive", refetchType: "none" }) }),
  defaultOptions: {
    queries: {
      refetchOnWindowFocus: false,
      // What the server refused stays refused; what did not get through is tried twice more.
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: (attempt) => Math.min(4000, 500 * 2 ** attempt),
      staleTime: 5000,
    },
  },
});

// What a change wrote here is newer than an answer that is on its way, which would take its place: that is asked again,
// a further page of a list too, which the library adds to the pages that were there when it was asked.
queryClient.getQueryCache().subscribe((event) => {
  if (event.type !== "updated" || event.action.type !== "success" || !event.action.manual) return;
  const { query } = event;
  if (query.state.fetchStatus === "fetching") query.fetch(undefined, { cancelRefetch: true, meta: query.state.fetchMeta ?? undefined }).catch(() => undefined); // its observers tell
});
