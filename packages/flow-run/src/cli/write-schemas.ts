import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { editorSchemas } from "@flow-run/spec";

/** Writes the JSON Schema of every format into the folder and returns the files' names. */
export async function writeSchemas(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const schemas = Object.entries(editorSchemas());
  await Promise.all(schemas.map(([name, schema]) => writeFile(join(folder, name), `${JSON.stringify(schema, null, 2)}\n`)));
  return schemas.map(([name]) => name);
}
