// Types of the API, generated from the server's own OpenAPI document; `--check` fails when they are stale.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@hey-api/openapi-ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const generated = fileURLToPath(new URL("../src/api/generated", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "tocsin-api-"));

const PROGRAM = `
import sys
from types import SimpleNamespace
from prometheus_client import CollectorRegistry
from tocsin.api.app import create_app
from tocsin.api.openapi import document
sys.stdout.buffer.write(document(create_app(SimpleNamespace(metrics=CollectorRegistry()))))
`;

try {
  const input = join(work, "openapi.json");
  writeFileSync(input, execFileSync(join(root, ".venv/bin/python"), ["-c", PROGRAM], { cwd: root, maxBuffer: 1 << 28 }));
  const output = join(work, "generated");
  const kept = ["types.gen.ts"];
  await createClient({ input, output, plugins: ["@hey-api/typescript"], logs: { level: "silent" } });
  if (process.argv.includes("--check")) {
    const stale = kept.filter((file) => !existsSync(join(generated, file)) || readFileSync(join(output, file), "utf8") !== readFileSync(join(generated, file), "utf8"));
    if (stale.length > 0) {
      console.error(`src/api/generated is not what the server says (${stale.join(", ")}): run npm run api`);
      process.exitCode = 1;
    }
  } else {
    rmSync(generated, { recursive: true, force: true });
    for (const file of kept) cpSync(join(output, file), join(generated, file));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
