// What the compiler leaves out of dist: files that are read and not imported.
import { cpSync, globSync, mkdirSync } from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "..", "packages", "flow-run");

for (const file of globSync("src/**/*.sql", { cwd: root })) {
  const target = path.join(root, "dist", path.relative("src", file));
  mkdirSync(path.dirname(target), { recursive: true });
  cpSync(path.join(root, file), target);
}
