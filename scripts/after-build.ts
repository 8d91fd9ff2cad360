// What the compiler leaves out of dist: files that are read and not imported, and the database of a first start.
import { cpSync, globSync, mkdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const root = path.join(import.meta.dirname, "..", "packages", "flow-run");

for (const file of globSync("src/**/*.sql", { cwd: root })) {
  const target = path.join(root, "dist", path.relative("src", file));
  mkdirSync(path.dirname(target), { recursive: true });
  cpSync(path.join(root, file), target);
}

const { buildTemplate } = await import(pathToFileURL(path.join(root, "dist/store/build-template.js")).href);
await buildTemplate(path.join(root, "dist/store/database/template.bin"));
