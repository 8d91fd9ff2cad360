import { existsSync } from "node:fs";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import { findRepository } from "../git.ts";
import { pipelineFile } from "../pipelines.ts";
import { starterFiles } from "../starter-project.ts";
import type { Terminal } from "../terminal.ts";
import { count } from "../views/diagnostics.ts";
import { writeSchemas } from "../write-schemas.ts";

interface Options {
  ci?: "github" | "gitlab";
  force?: boolean;
  json?: boolean;
}

/**
 * Writes a project that runs at once with the simulator; in a folder that is one already only what `--ci` asks for. Existing files are never
 * overwritten.
 */
export async function init({ terminal, options }: { terminal: Terminal; options: Options }, folder: string): Promise<number> {
  const root = resolve(folder);
  const present = await listFolder(root);
  const isProject = present.includes("flow-run.yaml");
  if (isProject && !options.ci) {
    throw new CommandError(
      `${root} is a flow-run project already. Its mistakes: flow-run validate. A pipeline for it: flow-run init --ci github`,
      {
        code: "already-a-project",
      },
    );
  }
  const others = present.filter((name) => !name.startsWith(".") && !/^(readme|licen[cs]e)/i.test(name));
  if (!isProject && others.length > 0 && !options.force) {
    const named = others.slice(0, 3).join(", ") + (others.length > 3 ? "…" : "");
    throw new CommandError(`${root} is not empty (${named}). Add the project to it with --force; no file is overwritten.`, {
      code: "folder-not-empty",
    });
  }
  const written: string[] = [];
  const kept: string[] = [];
  const write = async (path: string, text: string) => {
    const file = join(root, path);
    if (existsSync(file)) {
      kept.push(path);
      return;
    }
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    written.push(path);
  };
  if (!isProject) for (const [path, text] of Object.entries(starterFiles(projectName(root)))) await write(path, text);
  if (options.ci) await writePipeline(options.ci, root, write);
  await writeSchemas(join(root, ".flow-run/schemas"));
  if (options.json) terminal.json({ root, files: written, kept });
  else {
    const { style } = terminal;
    terminal.out(
      `${style("green", "✓")} ${written.length > 0 ? `${count(written.length, "file")} written in ${root}` : "Nothing to write"}\n`,
    );
    for (const path of written) terminal.out(`    ${path}\n`);
    if (kept.length > 0) terminal.out(`  left as ${kept.length === 1 ? "it was" : "they were"}: ${kept.join(", ")}\n`);
    if (options.ci) terminal.out(`\nThe pipeline deploys with two secrets of the repository: FLOW_RUN_URL and FLOW_RUN_API_KEY.\n`);
    if (!isProject) {
      const way = relative(process.cwd(), root);
      const cd = way === "" ? "" : `  cd ${/^[\w./-]+$/.test(way) ? way : `'${way.replaceAll("'", "'\\''")}'`}\n`;
      terminal.out(
        `\nTry it:\n${cd}  flow-run validate                  check everything\n  flow-run run greet name=Ada        one prompt, answered by the simulator\n  flow-run run welcome name=Ada      a workflow of two\n  flow-run dev                       a server on this machine\n`,
      );
    }
  }
  return EXIT.fine;
}

async function listFolder(root: string): Promise<string[]> {
  const found = await stat(root).catch(() => undefined);
  if (found === undefined) return [];
  if (!found.isDirectory()) throw new CommandError(`${root} is a file; name a folder, which may not exist yet.`, { code: "not-a-folder" });
  return readdir(root);
}

/** Services look for pipelines in the repository's root, wherever in it the project is. */
async function writePipeline(ci: "github" | "gitlab", root: string, write: (path: string, text: string) => Promise<void>): Promise<void> {
  const existing = existsSync(root) ? root : dirname(root);
  const repository = (await findRepository(existing)) ?? root;
  const project = relative(repository, root).split(sep).join("/");
  const { path, text } = pipelineFile(ci, project.startsWith("..") ? "" : project);
  await write(join(relative(root, repository), path), text);
}

function projectName(root: string): string {
  const name = basename(root)
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^[^A-Za-z]+|-+$/g, "");
  return name || "my-flows";
}
