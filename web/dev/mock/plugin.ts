import type { Plugin } from "vite";
import type * as Api from "./api";

/** Answers `/api` in the dev server itself; loaded through Vite, so that it may share the screens' own code. */
export function mockApi(): Plugin {
  return {
    name: "mock-api",
    async configureServer(server) {
      const { createMock } = (await server.ssrLoadModule("/dev/mock/api.ts")) as typeof Api;
      const { middleware, stop } = createMock();
      server.httpServer?.on("close", stop);
      server.middlewares.use(middleware);
    },
  };
}
