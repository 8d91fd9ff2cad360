import { releaseNumberSchema } from "@flow-run/spec";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { readGivenInput } from "../read-input.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";

interface Options extends CommonOptions {
  env: string;
  from?: string;
  input?: string;
  release?: string;
  tag?: string[];
  priority?: string;
  /** false: `--no-webhook`; true: neither was given. */
  webhook?: string | boolean;
}

/** Starts a new run with the input of another, or from one of its steps on. */
export async function runsReplay({ terminal, options }: { terminal: Terminal; options: Options }, id: string): Promise<number> {
  const { env, from, webhook } = options;
  const release = readRelease(options.release);
  const priority = readPriority(options.priority);
  const input = options.input === undefined ? undefined : await readGivenInput(options.input);
  const client = await connect(env, options.project);
  const run = await client.replay(id, {
    from,
    input,
    release,
    tags: options.tag,
    priority,
    webhook: webhook === false ? null : typeof webhook === "string" ? webhook : undefined,
  });
  if (options.json) terminal.json(run);
  else {
    const where = from === undefined ? "" : ` from ${printable(from)}`;
    terminal.out(`${run.id} replays ${id}${where} on release ${run.release}. Follow it: flow-run runs watch ${run.id} --env ${env}\n`);
  }
  return EXIT.fine;
}

function readRelease(text: string | undefined): "current" | "same" | number | undefined {
  if (text === undefined || text === "current" || text === "same") return text;
  const number = Number(text);
  if (releaseNumberSchema.safeParse(number).success) return number;
  throw new CommandError(`--release ${text}: write current, same or a release's number.`);
}

function readPriority(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number >= -100 && number <= 100) return number;
  throw new CommandError(`--priority ${text}: write a whole number from -100 to 100.`);
}
