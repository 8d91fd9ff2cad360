import { watch } from "node:fs";
import type { Bundle } from "../../compile/index.ts";
import { dataDirectory } from "../data-directory.ts";
import { exampleInput } from "../example-input.ts";
import { EXIT } from "../exit-code.ts";
import { loadProject, projectRoot } from "../load-project.ts";
import { parsePort } from "../parse-port.ts";
import type { CommonOptions } from "../program.ts";
import { errorSide, type Terminal } from "../terminal.ts";
import { untilStopped } from "../until-stopped.ts";
import { countView, diagnosticsView } from "../views/diagnostics.ts";

interface Options extends CommonOptions {
  port: string;
  host: string;
  dataDir?: string;
  schedules?: boolean;
}

/** Editors save in several steps; what follows within this time is one change. */
const SETTLE_MS = 80;

/** A server on the embedded database for one project, which deploys to the environment `dev` whenever a file is saved. */
export async function dev({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const root = await projectRoot(options.project);
  const port = parsePort(options.port);
  const errors = errorSide(terminal);
  const { startServer } = await import("../../compose.ts");
  const running = await startServer({
    role: "all",
    host: options.host,
    port,
    databaseUrl: process.env.DATABASE_URL || undefined,
    dataDir: await dataDirectory(options),
    concurrency: 200,
    dev: true,
    adminKey: process.env.FLOW_RUN_ADMIN_KEY || undefined,
    encryptionKey: process.env.FLOW_RUN_ENCRYPTION_KEY || undefined,
    schedules: options.schedules ?? false,
  });

  let shown = "";
  let release: number | null = null;
  /** Returns what is deployed now, null when the project has errors. */
  const deploy = async (): Promise<Bundle | null> => {
    const project = await loadProject(root);
    const mistakes = project.diagnostics.length > 0 ? `${diagnosticsView(project.diagnostics, project.textOf, errors)}\n` : "";
    if (mistakes !== shown) terminal.err(mistakes);
    shown = mistakes;
    if (project.bundle === null) {
      const kept = release === null ? "nothing is deployed yet" : `release ${release} keeps running`;
      terminal.err(`${errors.style("red", "✗")} ${countView(project.diagnostics)}: ${kept}. Mend and save.\n`);
      return null;
    }
    const result = await running.deploy(project.bundle);
    if (result.changed || release === null) {
      terminal.err(
        `${errors.style("green", "✓")} release ${result.release}: ${Object.keys(project.bundle.flows).join(", ") || "no flows yet"}\n`,
      );
    }
    release = result.release;
    if (result.missingSecrets.length > 0) {
      const names = result.missingSecrets.join(", ");
      terminal.err(`${errors.style("yellow", "!")} without a value: ${names}. Runs that need it fail; set it and start dev again.\n`);
    }
    return project.bundle;
  };

  // From before the first deploy on: a save that happens meanwhile is not missed.
  const watching = watchProject(root, async () => {
    await deploy().catch((error) => terminal.err(`${errors.style("red", "error")}: ${(error as Error).message}\n`));
  });
  try {
    const bundle = await deploy();
    const { url } = running;
    if (options.json) terminal.json({ url, docs: `${url}/docs`, environment: "dev", release, flows: Object.keys(bundle?.flows ?? {}) });
    else {
      const head = terminal.style("bold", `flow-run dev on ${url}`);
      terminal.out(`${head}   stop it with Ctrl-C\n  API   ${url}/docs\n${await tryIt(url, bundle, terminal)}`);
    }
    watching.begin();
    await Promise.race([untilStopped(), running.failed]);
  } finally {
    watching.stop();
    await running.close();
  }
  return EXIT.fine;
}

/** A call to paste into another terminal, of a flow that the project has: a workflow if there is one. */
async function tryIt(url: string, bundle: Bundle | null, { style }: Terminal): Promise<string> {
  const flows = Object.values(bundle?.flows ?? {});
  const flow = flows.find(({ kind }) => kind === "workflow") ?? flows[0];
  if (flow === undefined) return "";
  const body = JSON.stringify({ input: await exampleInput(flow.input) }).replaceAll("'", "'\\''");
  return `  try   ${style("dim", `curl -s ${url}/v1/flows/${flow.name}/runs -H 'content-type: application/json' -d '${body}'`)}\n        ${style("dim", "flow-run runs list")}\n`;
}

/** Calls back, one call at a time, after changes of definitions have settled; those from before `begin` then. */
function watchProject(root: string, changed: () => Promise<void>): { begin(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let begun = false;
  let waiting = false;
  let running = Promise.resolve();
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(changed);
    }, SETTLE_MS);
  };
  const watcher = watch(root, { recursive: true }, (_event, file) => {
    if (file === null || /(^|[\\/])(\.flow-run|\.git|node_modules)([\\/]|$)/.test(file)) return;
    if (!/\.(ya?ml|prompt|jsonl|json)$/.test(file)) return;
    if (begun) soon();
    else waiting = true;
  });
  return {
    begin() {
      begun = true;
      if (waiting) soon();
    },
    stop() {
      clearTimeout(timer);
      watcher.close();
    },
  };
}
