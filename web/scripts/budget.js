// First-load JavaScript, gzipped, measured on the build: the entry and what it imports at once.
import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 300; // issue 1, chapter 8
const out = new URL("../../tocsin/web/", import.meta.url);
const manifest = new URL("manifest.json", out);

if (!existsSync(manifest)) {
  console.log("size budget: no build to measure (npm run build)");
} else {
  const chunks = JSON.parse(readFileSync(manifest, "utf8"));
  const entry = Object.values(chunks).find((chunk) => chunk.isEntry);
  const reached = new Set();
  const visit = (chunk) => {
    if (reached.has(chunk.file)) return;
    reached.add(chunk.file);
    for (const name of chunk.imports ?? []) visit(chunks[name]);
  };
  visit(entry);
  // The first page anyone opens after sign-in is the explorer: its chunk counts as first load.
  for (const name of Object.keys(chunks).filter((key) => key.endsWith("SignalsPage.tsx"))) visit(chunks[name]);
  const bytes = [...reached].reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, out))).length, 0);
  const kb = bytes / 1024;
  console.log(`size budget: first load ${kb.toFixed(0)} KB of ${BUDGET_KB} KB gzipped, ${reached.size} files`);
  if (kb > BUDGET_KB) process.exit(1);
}
