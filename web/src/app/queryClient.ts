import { QueryClient, type InvalidateOptions, type InvalidateQueryFilters, type QueryKey } from "@tanstack/react-query";
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

export const queryClient = new FreshQueryClient({
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
