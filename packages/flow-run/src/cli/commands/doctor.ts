import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FlowRunError } from "@flow-run/spec";
import type { Bundle } from "../../compile/index.ts";
import { EXIT } from "../exit-code.ts";
import { loadProject } from "../load-project.ts";
import type { CommonOptions } from "../program.ts";
import type { Terminal } from "../terminal.ts";

interface Options extends CommonOptions {
  env?: string;
  dataDir?: string;
  offline?: boolean;
}

interface Check {
  name: string;
  status: "ok" | "warning" | "failed";
  detail: string;
}

/** Looks at everything a run needs and says what to do about what is missing. Exit 1 when a check fails. */
export async function doctor({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const checks: Check[] = [checkNode()];
  const project = await checkProject(options, checks);
  if (project) {
    checks.push(...checkSecrets(project.bundle));
    if (!options.offline) checks.push(...(await Promise.all(Object.entries(project.bundle.providers).map(([name, provider]) => checkProvider(name, provider)))));
  }
  checks.push(await checkDatabase(options, project?.root));
  if (options.env) checks.push(...(await checkServer(options.env, options.project)));

  if (options.json) terminal.out(`${JSON.stringify({ checks }, null, 2)}\n`);
  else {
    const marks = { ok: terminal.style("green", "✓"), warning: terminal.style("yellow", "!"), failed: terminal.style("red", "✗") };
    for (const check of checks) terminal.out(`${marks[check.status]} ${check.name.padEnd(22)} ${check.detail}\n`);
  }
  return checks.some((check) => check.status === "failed") ? EXIT.failed : EXIT.fine;
}

function checkNode(): Check {
  return { name: "node", status: "ok", detail: `${process.versions.node} (${process.execPath})` };
}

async function checkProject(options: Options, checks: Check[]): Promise<{ root: string; bundle: Bundle } | null> {
  try {
    const project = await loadProject(options.project);
    const errors = project.diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
    if (project.bundle === null) {
      checks.push({ name: "project", status: "failed", detail: `${project.root} has ${errors} errors; flow-run validate shows them` });
      return null;
    }
    checks.push({ name: "project", status: "ok", detail: `${project.bundle.project}, ${Object.keys(project.bundle.flows).length} flows` });
    return { root: project.root, bundle: project.bundle };
  } catch (error) {
    if (!FlowRunError.isInstance(error)) throw error;
    checks.push({ name: "project", status: "failed", detail: error.message });
    return null;
  }
}

function checkSecrets(bundle: Bundle): Check[] {
  return Object.entries(bundle.providers).flatMap(([name, provider]) =>
    provider.secrets.map((secret): Check => {
      const present = Boolean(process.env[secret]);
      return {
        name: `secret ${secret}`,
        status: present ? "ok" : "warning",
        detail: present ? `set, used by ${name}` : `not set; runs that use the provider ${name} will fail. Set the environment variable ${secret}.`,
      };
    }),
  );
}

const VENDOR_URLS: { readonly [type: string]: string } = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com/v1",
  google: "https://generativelanguage.googleapis.com/v1beta",
};

/** Any answer will do: it shows that the way there is open. The key is not sent. */
async function checkProvider(name: string, provider: Bundle["providers"][string]): Promise<Check> {
  const check = `provider ${name}`;
  if (provider.type === "simulator") return { name: check, status: "ok", detail: "the simulator, in this process" };
  const written = typeof provider.settings.baseUrl === "string" ? provider.settings.baseUrl : (VENDOR_URLS[provider.type] ?? "");
  const url = written.replace(/\$\{\{\s*secrets\.([\w-]+)\s*\}\}/g, (_, secret: string) => process.env[secret] ?? "");
  if (!/^https?:/.test(url)) return { name: check, status: "warning", detail: `no address to try (${written || provider.type})` };
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000), redirect: "manual" });
    await response.body?.cancel();
    return { ...clockAgainst(response), name: check, detail: `${url} answers` };
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).name;
    return { name: check, status: "warning", detail: `${url} cannot be reached (${cause}). Check the network, a proxy, and baseUrl.` };
  }
}

async function checkDatabase(options: Options, root: string | undefined): Promise<Check> {
  const url = process.env.DATABASE_URL;
  if (url) {
    const { openPostgres } = await import("../../store/index.ts");
    try {
      const database = await openPostgres({ connectionString: url, maxConnections: 1 });
      const [row] = await database.query<{ version: string; skew: number }>(
        "SELECT current_setting('server_version') AS version, extract(epoch FROM clock_timestamp())::float8 - $1::float8 AS skew",
        [Date.now() / 1000],
      );
      await database.close();
      const skew = Math.abs(row!.skew);
      return skew > 5
        ? { name: "database", status: "warning", detail: `PostgreSQL ${row!.version}, but its clock differs by ${skew.toFixed(0)} s from this machine's` }
        : { name: "database", status: "ok", detail: `PostgreSQL ${row!.version}, clocks agree` };
    } catch (error) {
      if (!FlowRunError.isInstance(error)) throw error;
      return { name: "database", status: "failed", detail: `${error.message} Check DATABASE_URL.` };
    }
  }
  const directory = resolve(options.dataDir ?? `${root ?? "."}/.flow-run`);
  if (!existsSync(`${directory}/pgdata`)) return { name: "database", status: "ok", detail: `embedded; will be made in ${directory}` };
  try {
    const { pid } = JSON.parse(await readFile(`${directory}/.lock.json`, "utf8")) as { pid: number };
    process.kill(pid, 0);
    return { name: "database", status: "ok", detail: `embedded in ${directory}, in use by process ${pid}` };
  } catch {
    return { name: "database", status: "ok", detail: `embedded in ${directory}` };
  }
}

async function checkServer(environment: string, folder: string | undefined): Promise<Check[]> {
  const { connect } = await import("../remote.ts");
  try {
    const client = await connect(environment, folder);
    const flows = await client.flows();
    return [{ name: `server of ${environment}`, status: "ok", detail: `reached, the key is accepted, ${flows.length} flows` }];
  } catch (error) {
    if (!FlowRunError.isInstance(error)) throw error;
    return [{ name: `server of ${environment}`, status: "failed", detail: error.message }];
  }
}

/** A clock that is off breaks signatures and timestamps. */
function clockAgainst(response: Response): Pick<Check, "status"> {
  const date = Date.parse(response.headers.get("date") ?? "");
  return { status: Number.isNaN(date) || Math.abs(date - Date.now()) < 60_000 ? "ok" : "warning" };
}
