import { durationMs, durationSchema } from "@flow-run/spec";
import { CommandError } from "../command-error.ts";
import { dataDirectory } from "../data-directory.ts";
import { EXIT } from "../exit-code.ts";
import { parsePort } from "../parse-port.ts";
import type { CommonOptions } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { untilStopped } from "../until-stopped.ts";

interface Options extends CommonOptions {
  role: "all" | "api" | "worker";
  port: string;
  host: string;
  dataDir?: string;
  concurrency: string;
  databaseWait: string;
  migrateTo?: string;
}

/** Serves until SIGINT or SIGTERM, then drains: runs under way finish or are handed back. */
export async function server({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const dataDir = await dataDirectory(options);
  const databaseUrl = process.env.DATABASE_URL || undefined;
  if (options.migrateTo !== undefined) return migrate(terminal, options, dataDir, options.migrateTo);
  const concurrency = Number(options.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new CommandError(`--concurrency ${options.concurrency}: write a whole number from 1.`);
  if (!durationSchema.safeParse(options.databaseWait).success)
    throw new CommandError(`--database-wait ${options.databaseWait}: write a duration such as 60s.`);
  if (options.role !== "all" && databaseUrl === undefined) {
    throw new CommandError(
      `--role ${options.role} needs DATABASE_URL: the embedded database serves one process, which is both API and worker. Set DATABASE_URL to a PostgreSQL, or leave --role away.`,
    );
  }
  const { startServer } = await import("../../compose.ts");
  const running = await startServer({
    role: options.role,
    host: options.host,
    port: parsePort(options.port),
    databaseUrl,
    dataDir,
    databaseWaitMs: durationMs(options.databaseWait),
    concurrency,
    dev: false,
    adminKey: process.env.FLOW_RUN_ADMIN_KEY || undefined,
    encryptionKey: process.env.FLOW_RUN_ENCRYPTION_KEY || undefined,
    publicUrl: process.env.FLOW_RUN_PUBLIC_URL || undefined,
    schedules: true,
  });
  terminal.out(
    options.json
      ? `${JSON.stringify({ url: running.url, role: options.role, database: running.database })}\n`
      : `flow-run ${options.role === "all" ? "server" : options.role} on ${running.url}, ${running.database === "pglite" ? `embedded database in ${dataDir}` : "PostgreSQL"}\n`,
  );
  await Promise.race([untilStopped(), running.failed]);
  await running.close();
  return EXIT.fine;
}

async function migrate(terminal: Terminal, options: Options, dataDir: string, target: string): Promise<number> {
  const { moveToPostgres } = await import("../../compose.ts");
  const { tables, rows, movedTo } = await moveToPostgres({ dataDir, target });
  terminal.out(
    options.json
      ? `${JSON.stringify({ tables, rows, movedTo })}\n`
      : `${terminal.style("green", "✓")} ${rows} rows in ${tables} tables copied and counted. The embedded database was renamed to ${movedTo}.\nStart the server on PostgreSQL from now on: DATABASE_URL=… flow-run server\n`,
  );
  return EXIT.fine;
}
