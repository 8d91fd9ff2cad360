import type { RunStatus } from "@flow-run/spec";
import { releaseNumberSchema, runStatusSchema } from "@flow-run/spec";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { money } from "../views/money.ts";
import { status } from "../views/run.ts";
import { table } from "../views/table.ts";

interface Options extends CommonOptions {
  env: string;
  flow?: string;
  status?: string[];
  tag?: string[];
  release?: string;
  replayOf?: string;
  from?: string;
  to?: string;
  limit: string;
  cursor?: string;
}

export async function runsList({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const wanted = options.status ?? [];
  for (const one of wanted) {
    if (!runStatusSchema.safeParse(one).success)
      throw new CommandError(`--status ${one}: it is one of ${runStatusSchema.options.join(", ")}.`);
  }
  const release = options.release === undefined ? undefined : Number(options.release);
  if (release !== undefined && !releaseNumberSchema.safeParse(release).success) {
    throw new CommandError(`--release ${options.release}: write a release's number.`);
  }
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 200)
    throw new CommandError(`--limit ${options.limit}: write a whole number from 1 to 200.`);
  const client = await connect(options.env, options.project);
  const { runs, nextCursor } = await client.listRuns({
    flow: options.flow,
    status: wanted.length === 0 ? undefined : (wanted as RunStatus[]),
    tag: options.tag,
    release,
    replayOf: options.replayOf,
    from: readTime("--from", options.from),
    to: readTime("--to", options.to),
    limit,
    cursor: options.cursor,
  });
  if (options.json) terminal.json({ runs, nextCursor });
  else if (runs.length === 0) {
    const { flow, tag, replayOf, from, to } = options;
    const narrowed = flow ?? options.status ?? tag ?? release ?? replayOf ?? from ?? to;
    terminal.out(
      narrowed === undefined
        ? `No runs in ${options.env} yet. Start one: flow-run run FLOW --env ${options.env}, or POST /v1/flows/FLOW/runs\n`
        : `No such runs in ${options.env}.\n`,
    );
  } else {
    const head = ["run", "flow", "status", "release", "created", "calls", "cost"].map((title) => terminal.style("dim", title));
    const rows = runs.map((run) => [
      run.id,
      printable(run.flow),
      status(run, terminal),
      String(run.release),
      run.createdAt,
      String(run.usage.calls),
      money(run.costUsd),
    ]);
    terminal.out(`${table([head, ...rows], { right: [3, 5] })}\n`);
    if (nextCursor) terminal.err(terminal.style("dim", `There are more: --cursor ${nextCursor}\n`));
  }
  return EXIT.fine;
}

function readTime(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new CommandError(`${option} ${text}: write a date or a time, for example 2026-11-22 or 2026-11-22T08:00:00Z.`);
  return time.toISOString();
}
