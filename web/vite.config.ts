/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig, type PluginOption } from "vite";

const SERVER = process.env.TOCSIN_URL ?? "http://127.0.0.1:8080";

export default defineConfig(async ({ mode }) => {
  const plugins: PluginOption[] = [react({ jsxImportSource: "@/lib/jsx" })];
  if (mode === "mock") plugins.push((await import("./dev/mock/plugin.ts")).mockApi());
  return {
    plugins,
    resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
    server: {
      host: "127.0.0.1",
      port: Number(process.env.TOCSIN_WEB_PORT ?? 5173),
      strictPort: true,
      proxy: mode === "mock" ? {} : Object.fromEntries(["/api", "/v1", "/health"].map((path) => [path, SERVER])),
    },
    build: {
      outDir: "../tocsin/web",
      emptyOutDir: true,
      manifest: "manifest.json",
      // A strict content security policy allows neither data: scripts nor inline ones.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      target: "es2022",
      reportCompressedSize: false,
    },
    // A slow machine is no failure: tests wait for what they wait for.
    test: { environment: "node", include: ["tests/**/*.test.{ts,tsx}"], testTimeout: 60_000, hookTimeout: 60_000 },
  };
});
