import type { RunStatus } from "@flow-run/spec";
import { runStatusSchema } from "@flow-run/spec";
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
  status?: string;
  tag?: string;
  limit: string;
  cursor?: string;
}

export async function runsList({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const wanted = options.status;
  if (wanted !== undefined && !runStatusSchema.safeParse(wanted).success) {
    throw new CommandError(`--status ${wanted}: it is one of ${runStatusSchema.options.join(", ")}.`);
  }
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 200)
    throw new CommandError(`--limit ${options.limit}: write a whole number from 1 to 200.`);
  const client = await connect(options.env, options.project);
  const { runs, nextCursor } = await client.listRuns({
    flow: options.flow,
    status: wanted as RunStatus | undefined,
    tag: options.tag,
    limit,
    cursor: options.cursor,
  });
  if (options.json) terminal.json({ runs, nextCursor });
  else if (runs.length === 0) {
    const narrowed = options.flow ?? options.status ?? options.tag;
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
