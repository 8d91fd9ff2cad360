import { type WebhookDeliveryStatus, webhookDeliveryStatusSchema } from "@flow-run/spec";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { table } from "../views/table.ts";

interface Context<Options = object> {
  terminal: Terminal;
  options: CommonOptions & { env: string } & Options;
}

export async function webhooksList({
  terminal,
  options,
}: Context<{ status?: string; run?: string; limit: string; cursor?: string }>): Promise<number> {
  const { status, run, cursor } = options;
  if (status !== undefined && !webhookDeliveryStatusSchema.safeParse(status).success)
    throw new CommandError(`--status ${status}: it is one of ${webhookDeliveryStatusSchema.options.join(", ")}.`);
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 200)
    throw new CommandError(`--limit ${options.limit}: write a whole number from 1 to 200.`);
  const client = await connect(options.env, options.project);
  const page = await client.webhookDeliveries({ status: status as WebhookDeliveryStatus | undefined, run, limit, cursor });
  if (options.json) terminal.json(page);
  else if (page.deliveries.length === 0) terminal.out(`No such deliveries in ${options.env}.\n`);
  else {
    const head = ["delivery", "status", "attempts", "next attempt", "url"].map((title) => terminal.style("dim", title));
    const rows = page.deliveries.map((one) => [one.id, one.status, String(one.attemptCount), one.nextAttemptAt ?? "", printable(one.url)]);
    terminal.out(`${table([head, ...rows], { right: [2] })}\n`);
    if (page.nextCursor) terminal.err(terminal.style("dim", `There are more: --cursor ${page.nextCursor}\n`));
  }
  return EXIT.fine;
}

export async function webhooksShow({ terminal, options }: Context, id: string): Promise<number> {
  const client = await connect(options.env, options.project);
  const delivery = await client.webhookDelivery(id);
  if (options.json) {
    terminal.json(delivery);
    return EXIT.fine;
  }
  const next = delivery.nextAttemptAt === null ? "" : `, next attempt ${delivery.nextAttemptAt}`;
  terminal.out(`${delivery.id} is ${delivery.status}${next}\nrun ${delivery.run}\nurl ${printable(delivery.url)}\n`);
  const head = ["attempt", "started", "ms", "status", "", "answer"].map((title) => terminal.style("dim", title));
  const rows = delivery.attempts.map((attempt) => [
    String(attempt.number),
    attempt.startedAt,
    String(attempt.durationMs ?? ""),
    String(attempt.status ?? ""),
    printable(attempt.error ?? ""),
    printable((attempt.answer ?? "").slice(0, 80)),
  ]);
  if (rows.length > 0) terminal.out(`${table([head, ...rows], { right: [0, 2, 3] })}\n`);
  return EXIT.fine;
}

export async function webhooksReplay({ terminal, options }: Context, id: string): Promise<number> {
  const client = await connect(options.env, options.project);
  const delivery = await client.replayWebhook(id);
  if (options.json) terminal.json(delivery);
  else terminal.out(`${id} is delivered again. Look: flow-run webhooks show ${id} --env ${options.env}\n`);
  return EXIT.fine;
}
