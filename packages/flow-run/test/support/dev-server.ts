import { onTestFinished } from "vitest";
import { flowRun, folderWith, SMALL_PROJECT } from "./command-line.ts";
import { type Program, startProgram } from "./program.ts";
import { programFile } from "./shared-databases.ts";

/** A `flow-run dev` in a folder of its own, which ends with the test. */
export interface Dev {
  cwd: string;
  url: string;
  program: Program;
  /** A command against it. */
  flowRun(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
  json<T = Record<string, unknown>>(...args: string[]): Promise<T>;
}

export async function startDev(args: string[] = [], files: Record<string, string> = SMALL_PROJECT): Promise<Dev> {
  const cwd = folderWith(files);
  const program = startProgram(await programFile(), ["dev", "--port", "0", ...args], { cwd });
  onTestFinished(async () => void (await program.kill()));
  const said = await program.said(/http:\/\/127\.0\.0\.1:\d+/);
  const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said)!;
  const run = (...words: string[]) => flowRun(words, { cwd, env: { FLOW_RUN_URL: url } });
  return {
    cwd,
    url,
    program,
    flowRun: run,
    json: async <T>(...words: string[]) => JSON.parse((await run(...words, "--json")).stdout) as T,
  };
}
