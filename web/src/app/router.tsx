import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { whenSignedOut } from "@/api/client";
import { patiently } from "@/api/connection";
import { ApiError } from "@/api/errors";
import { meQuery } from "@/api/session";
import { parseSearch, stringifySearch, validateExplorerSearch } from "@/lib/urlState";
import { NAVIGATION } from "./navigation";
import { PageError } from "./PageError";
import { PageLoading } from "./PageLoading";
import { queryClient } from "./queryClient";
import { Shell } from "./Shell";
import { ShellLoading } from "./ShellLoading";

const root = createRootRoute();

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { next?: string } => (typeof search.next === "string" ? { next: search.next } : {}),
  component: lazyRouteComponent(patiently(() => import("./pages/SignIn")), "SignIn"),
});

/** Everything behind the sign-in. */
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.ensureQueryData(meQuery);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { next: location.href } });
      throw error;
    }
  },
  errorComponent: PageError,
  pendingComponent: ShellLoading,
});

const index = createRoute({
  getParentRoute: () => shell,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/signals", search: {} });
  },
});

const signals = createRoute({ getParentRoute: () => shell, path: "/signals", validateSearch: validateExplorerSearch, component: lazyRouteComponent(patiently(() => import("./pages/Signals")), "Signals"), errorComponent: PageError });
const suppressed = createRoute({ getParentRoute: () => shell, path: "/signals/suppressed", validateSearch: validateExplorerSearch, component: lazyRouteComponent(patiently(() => import("./pages/HiddenSignals")), "HiddenSignals"), errorComponent: PageError });
const logs = createRoute({ getParentRoute: () => shell, path: "/logs", validateSearch: validateExplorerSearch, component: lazyRouteComponent(patiently(() => import("./pages/Logs")), "Logs"), errorComponent: PageError });

const rules = createRoute({
  getParentRoute: () => shell,
  path: "/rules",
  validateSearch: (search: Record<string, unknown>): { query?: string; sort?: string } => ({
    ...(typeof search.query === "string" && search.query ? { query: search.query } : {}),
    ...(typeof search.sort === "string" && search.sort ? { sort: search.sort } : {}),
  }),
  component: lazyRouteComponent(patiently(() => import("./pages/Rules")), "Rules"),
  errorComponent: PageError,
});
const rule = createRoute({
  getParentRoute: () => shell,
  path: "/rules/$ruleId",
  validateSearch: (search: Record<string, unknown>): { tab?: string; from?: string; to?: string; clone?: string } =>
    Object.fromEntries(["tab", "from", "to", "clone"].flatMap((name) => (typeof search[name] === "string" && search[name] ? [[name, search[name]]] : []))),
  component: lazyRouteComponent(patiently(() => import("./pages/Rule")), "Rule"),
  errorComponent: PageError,
});

const settings = createRoute({ getParentRoute: () => shell, path: "/settings/$section", component: lazyRouteComponent(patiently(() => import("./pages/Settings")), "Settings"), errorComponent: PageError });
const settingsIndex = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  beforeLoad: () => {
    throw redirect({ to: "/settings/$section", params: { section: "people" } });
  },
});

/** Any other address: the ways to all pages stay beside what is said. */
const elsewhere = createRoute({ getParentRoute: () => shell, path: "$", component: () => <PageError error={new ApiError(404, ["There is no page at this address."], null)} /> });

/** The pages that `navigation.ts` alone describes: their search parameters are plain text, read with `usePageSearch`. */
const listed = NAVIGATION.flatMap((group) => group.items).flatMap(({ to, load }) =>
  load ? [createRoute({ getParentRoute: () => shell, path: to, component: lazyRouteComponent(patiently(load)), errorComponent: PageError })] : [],
);
// Their paths are data, so no type can name them: left in, they would loosen the types of all other routes to `string`.
const untyped = listed as unknown as [];

export const router = createRouter({
  routeTree: root.addChildren([signIn, shell.addChildren([index, signals, suppressed, logs, rules, rule, settings, settingsIndex, elsewhere, ...untyped])]),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultPendingComponent: PageLoading,
  defaultPendingMs: 150,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

// The session ended: sign in, then come back to this very address.
whenSignedOut(() => {
  queryClient.removeQueries({ queryKey: meQuery.queryKey });
  const { pathname, href } = router.state.location;
  if (pathname !== "/sign-in") void router.navigate({ to: "/sign-in", search: { next: href } });
});
