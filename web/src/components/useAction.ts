import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { ApiError } from "@/api/errors";
import { tellFailure } from "@/components/telling";

/** Changes something of a list, then reads the list again; a failure is told, with `title` above it. */
export function useAction<T = void>(list: QueryKey, title: string, act: (argument: T) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () => client.invalidateQueries({ queryKey: list }),
    onError: (error) => tellFailure(title, error instanceof ApiError && error.isStale ? "Somebody else changed it meanwhile. The list was read again." : error.message),
  });
}
