import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { connectionIsLost, whenConnectionChanges } from "@/api/connection";
import { tell } from "@/components/telling";
import classes from "./StatusBar.module.css";

/** Says on every page that the server is away, and what that means; when it is back, reads what could not be read. */
export function Away() {
  const client = useQueryClient();
  const router = useRouter();
  useEffect(
    () =>
      whenConnectionChanges(() => {
        if (connectionIsLost()) return;
        tell("The server can be reached again.");
        // Only that: what is there and being looked at or changed stays as it is.
        void client.refetchQueries({ type: "active", predicate: ({ state }) => state.error !== null || state.fetchFailureCount > 0 });
        if (router.state.matches.some(({ status }) => status === "error")) void router.invalidate();
      }),
    [client, router],
  );
  return (
    <span className={classes.lost} role="alert">
      The server cannot be reached. It is asked again by itself; what you typed stays, but cannot be saved until then.
    </span>
  );
}
