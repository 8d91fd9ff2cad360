import { watch } from "node:fs";
import { resolve } from "node:path";
import { hasErrors } from "@flow-run/spec";
import { EXIT } from "../exit-code.ts";
import { loadProject, projectRoot } from "../load-project.ts";
import { parsePort } from "../parse-port.ts";
import type { CommonOptions } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { untilStopped } from "../until-stopped.ts";
import { diagnosticsView } from "../views/diagnostics.ts";

interface Options extends CommonOptions {
  port: string;
  host: string;
  dataDir?: string;
}

/** Editors save in several steps; what follows within this time is one change. */
const SETTLE_MS = 80;

/** A server on the embedded database for one project, which deploys to the environment `dev` whenever a file is saved. */
export async function dev({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const root = await projectRoot(options.project);
  const { startServer } = await import("../../compose.ts");
  const running = await startServer({
    role: "all",
    host: options.host,
    port: parsePort(options.port),
    databaseUrl: process.env.DATABASE_URL || undefined,
    dataDir: resolve(options.dataDir ?? `${root}/.flow-run`),
    concurrency: 200,
    dev: true,
    adminKey: process.env.FLOW_RUN_ADMIN_KEY || undefined,
  });

  const deploy = async () => {
    const project = await loadProject(root);
    if (project.diagnostics.length > 0 && !options.json) terminal.err(`\n${diagnosticsView(project.diagnostics, project.textOf, terminal)}\n`);
    if (project.bundle === null || hasErrors(project.diagnostics)) {
      if (options.json) terminal.out(`${JSON.stringify({ event: "invalid", diagnostics: project.diagnostics })}\n`);
      else terminal.err(terminal.style("red", "Not deployed; the release before keeps running. Mend the errors and save.\n"));
      return;
    }
    const result = await running.deploy(project.bundle);
    if (options.json) terminal.out(`${JSON.stringify({ event: "deployed", ...result })}\n`);
    else if (result.changed) terminal.err(`${terminal.style("green", "✓")} release ${result.release}: ${Object.keys(project.bundle.flows).join(", ")}\n`);
    if (result.missingSecrets.length > 0 && !options.json) terminal.err(terminal.style("yellow", `  without a value: ${result.missingSecrets.join(", ")}\n`));
  };

  await deploy();
  const example = `curl -s ${running.url}/v1/flows/NAME/runs -H 'content-type: application/json' -d '{"input": {}}'`;
  terminal.out(options.json ? `${JSON.stringify({ event: "ready", url: running.url })}\n` : `flow-run dev on ${running.url} (API: ${running.url}/docs)\n  ${terminal.style("dim", example)}\n`);
  const stopWatching = watchProject(root, () => deploy().catch((error) => terminal.err(`${terminal.style("red", "error")}: ${(error as Error).message}\n`)));
  await Promise.race([untilStopped(), running.failed]);
  stopWatching();
  await running.close();
  return EXIT.fine;
}

/** Calls back after changes of definitions have settled, one call at a time. */
function watchProject(root: string, changed: () => Promise<void>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const watcher = watch(root, { recursive: true }, (_event, file) => {
    if (file === null || /(^|[\\/])(\.flow-run|\.git|node_modules)([\\/]|$)/.test(file)) return;
    if (!/\.(ya?ml|prompt|jsonl|json)$/.test(file)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(changed);
    }, SETTLE_MS);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
