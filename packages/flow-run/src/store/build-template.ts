import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { buildTemplate as build, templateSchema } from "./database/pglite/build-template.ts";
import { readMigrations } from "./migrate.ts";
import { prepareSchema } from "./prepare-schema.ts";

/**
 * Writes the file from which an embedded installation takes its database at its first start, with the schema of this build already in it. Does nothing
 * when the file is there and fits. Returns whether it was made.
 */
export async function buildTemplate(outFile: string): Promise<boolean> {
  const schema = await schemaKey();
  if (existsSync(outFile) && templateSchema(outFile) === schema) return false;
  await build(outFile, schema, prepareSchema);
  return true;
}

/** Changes with everything that the template's schema is made from. */
async function schemaKey(): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve("pg-boss/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  const migrations = await readMigrations();
  return createHash("sha256")
    .update(JSON.stringify([version, migrations.map(({ checksum }) => checksum)]))
    .digest("hex");
}
