import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { programFile } from "./shared-databases.ts";

export interface Said {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Surroundings {
  cwd: string;
  env?: Record<string, string>;
  /** Standard input; none unless given. */
  input?: string;
}

/** Runs `flow-run ARGS` to its end, with nothing of this process's own settings but PATH. */
export async function flowRun(args: string[], { cwd, env = {}, input }: Surroundings): Promise<Said> {
  return ended(spawn(process.execPath, [await programFile(), ...args], { cwd, env: surroundings(cwd, { NO_COLOR: "1", ...env }) }), input);
}

/** Runs `flow-run ARGS` on a pseudo-terminal; both outputs are in `stdout`, as the terminal gets them. */
export async function flowRunOnTerminal(args: string[], { cwd, env = {} }: Surroundings): Promise<Said> {
  const words = [process.execPath, await programFile(), ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return ended(spawn("script", ["-qec", words.join(" "), "/dev/null"], { cwd, env: surroundings(cwd, { TERM: "xterm", ...env }) }));
}

export const hasTerminal = fs.existsSync("/usr/bin/script");

async function ended(child: ReturnType<typeof spawn>, input = ""): Promise<Said> {
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin!.on("error", () => {}).end(input);
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  return { code: await code, stdout, stderr };
}

function surroundings(home: string, env: Record<string, string>): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: home, ...env };
}

/** A new folder with these files, by path; removed after the test. */
export function folderWith(files: Record<string, string | Uint8Array> = {}): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "flow-run-cli-")));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), content);
  }
  return folder;
}

/** A project with a prompt, a workflow of two, and a scripted simulator. */
export const SMALL_PROJECT = {
  "flow-run.yaml": `name: small
providers:
  sim: { type: simulator, script: simulator.yaml }
  vendor: { type: openai, apiKey: "\${{ secrets.VENDOR_KEY }}" }
models: { default: sim/small, paid: vendor/gpt-5-mini }
`,
  "simulator.yaml": `rules:
  - when: { contains: hostile }
    answer: "plain \\e[31mred \\e]52;c;AAAA\\a \\u202Eturned\\u202C"
  - when: { contains: slowly }
    latency: { firstToken: 50ms, perToken: 100ms }
    answer: "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
  - when: { contains: refused }
    error: { status: 400 }
  - when: { contains: flaky, attempt: 1 }
    error: { status: 500 }
`,
  "prompts/say.prompt":
    '---\ninput: { schema: { what: string, count?: integer } }\n---\n{{role "system"}}Be brief.\n{{role "user"}}Say {{what}}{{#if count}} {{count}} times{{/if}}.',
  "prompts/paid.prompt": "---\nmodel: paid\n---\nSay {{what}}.",
  "prompts/rate.prompt":
    "---\ninput: { schema: { text: string } }\noutput: { format: json, schema: { score: integer } }\n---\nRate {{text}}",
  "flows/both.yaml": `input: { what: string, then?: string }
steps:
  - { id: first, run: say, with: { what: "\${{ input.what }}" } }
  - { id: second, run: say, with: { what: "\${{ coalesce(input.?then, 'goodbye') }}" } }
output: { first: "\${{ steps.first.output }}", second: "\${{ steps.second.output }}" }
`,
};
