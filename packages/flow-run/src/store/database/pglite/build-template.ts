import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Database } from "../database.ts";
import { MARKER } from "./data-directory.ts";
import { engineVersion } from "./engine-version.ts";
import { openPglite } from "./open-pglite.ts";
import { packTemplate, readTemplate, type TemplateFile } from "./template-format.ts";

/** `template0` and `template1` are two thirds of a new directory and of no use to an installation that has one database. */
const SHRINK = [
  "UPDATE pg_database SET datistemplate = false WHERE datname IN ('template0', 'template1')",
  "DROP DATABASE template0",
  "DROP DATABASE template1",
  "VACUUM (FREEZE, ANALYZE)",
  "CHECKPOINT",
];

/** Makes the file from which a first start takes its database: an embedded installation to which `migrate` has been applied. `schema` names the result. */
export async function buildTemplate(outFile: string, schema: string, migrate: (database: Database) => Promise<void>): Promise<void> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "flow-run-template-"));
  try {
    const database = await openPglite({
      directory,
      templateFile: null,
      maintenance: false,
      onFatal: (error) => {
        throw error;
      },
    });
    await migrate(database);
    for (const statement of SHRINK) await database.exec(statement);
    await database.close();
    const { directories, files } = listTree(path.join(directory, "pgdata"));
    fs.mkdirSync(path.dirname(outFile), { recursive: true });
    const unfinished = `${outFile}.${process.pid}`;
    fs.writeFileSync(unfinished, packTemplate(engineVersion(), schema, directories, files));
    fs.renameSync(unfinished, outFile);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** Name of the schema in a template; null when the file is no template for this engine. */
export function templateSchema(file: string): string | null {
  return readTemplate(fs.readFileSync(file), engineVersion())?.schema ?? null;
}

function listTree(root: string): { directories: string[]; files: TemplateFile[] } {
  const directories: string[] = [];
  const files: TemplateFile[] = [];
  for (const entry of fs.readdirSync(root, { withFileTypes: true, recursive: true })) {
    const full = path.join(entry.parentPath, entry.name);
    const name = path.relative(root, full).split(path.sep).join("/");
    if (entry.isDirectory()) directories.push(name);
    else if (name !== MARKER && name !== "postmaster.pid") files.push({ path: name, bytes: fs.readFileSync(full) });
  }
  return { directories: directories.sort(), files };
}
