import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { TemplateKey } from "./template-format.ts";

/** The embedded server of this installation: data directories and templates depend on it. */
export function engineVersion(): TemplateKey {
  const entry = createRequire(import.meta.url).resolve("@electric-sql/pglite");
  const manifest = path.join(path.dirname(entry), "..", "package.json");
  const { version } = JSON.parse(fs.readFileSync(manifest, "utf8")) as { version: string };
  return { pglite: version, postgresMajor: "18" };
}
