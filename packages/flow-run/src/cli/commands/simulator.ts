import { durationSchema } from "@flow-run/spec";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import { parsePort } from "../parse-port.ts";
import type { CommonOptions } from "../program.ts";
import { readGivenFile } from "../read-given-file.ts";
import type { Terminal } from "../terminal.ts";
import { untilStopped } from "../until-stopped.ts";

interface Options extends CommonOptions {
  port: string;
  host: string;
  script?: string;
  seed?: string;
  latency?: string;
}

/** Serves until it is stopped by a signal. */
export async function simulator({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const { parseSimulatorScript, startSimulatorServer } = await import("../../model/index.ts");
  const script = options.script ? parseSimulatorScript(await readGivenFile(options.script, "script"), options.script) : {};
  if (options.seed !== undefined) script.seed = wholeNumber(options.seed, "--seed");
  if (options.latency !== undefined) {
    if (!durationSchema.safeParse(options.latency).success)
      throw new CommandError(`--latency ${options.latency}: write a duration such as 50ms.`);
    script.latency = options.latency;
  }
  const server = await startSimulatorServer({ port: parsePort(options.port), host: options.host, script });
  terminal.out(
    options.json
      ? `${JSON.stringify({ url: server.url, port: server.port })}\n`
      : `The simulator listens on ${server.url}\n  OpenAI     ${server.url}/v1\n  Anthropic  ${server.url}/v1\n  Google     ${server.url}/v1beta\n  what it was asked: ${server.url}/_requests\n`,
  );
  await untilStopped();
  await server.close();
  return EXIT.fine;
}

function wholeNumber(text: string, option: string): number {
  const number = Number(text);
  if (!Number.isInteger(number)) throw new CommandError(`${option} ${text}: write a whole number.`);
  return number;
}
