import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import { starterFiles } from "../starter-project.ts";
import type { Terminal } from "../terminal.ts";
import { writeSchemas } from "../write-schemas.ts";

interface Options {
  force?: boolean;
  json?: boolean;
}

/** Writes a project that runs at once with the simulator. Existing files are never overwritten. */
export async function init({ terminal, options }: { terminal: Terminal; options: Options }, folder: string): Promise<number> {
  const root = resolve(folder);
  if (existsSync(join(root, "flow-run.yaml"))) {
    throw new CommandError(`${root} already is a flow-run project.`, { code: "already-a-project" });
  }
  const present = existsSync(root) ? (await readdir(root)).filter((name) => !name.startsWith(".") && !/^(readme|licen[cs]e)/i.test(name)) : [];
  if (present.length > 0 && !options.force) {
    throw new CommandError(`${root} is not empty (${present.slice(0, 3).join(", ")}…). Add the project to it with --force; no file is overwritten.`, {
      code: "folder-not-empty",
    });
  }
  const written: string[] = [];
  for (const [path, text] of Object.entries(starterFiles(projectName(root)))) {
    const file = join(root, path);
    if (existsSync(file)) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    written.push(path);
  }
  await writeSchemas(join(root, ".flow-run/schemas"));
  if (options.json) terminal.out(`${JSON.stringify({ root, files: written }, null, 2)}\n`);
  else {
    const cd = folder === "." ? "" : `  cd ${folder}\n`;
    terminal.out(`${terminal.style("green", "✓")} A project with ${written.length} files in ${root}\n\nTry it:\n${cd}  flow-run validate\n  flow-run run greet name=Ada\n  flow-run run welcome name=Ada\n  flow-run dev\n`);
  }
  return EXIT.fine;
}

function projectName(root: string): string {
  return basename(root).replace(/[^A-Za-z0-9_-]+/g, "-") || "my-flows";
}
