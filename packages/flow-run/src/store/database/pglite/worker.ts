// The thread that holds the embedded PostgreSQL. It takes PostgreSQL protocol bytes and answers with PostgreSQL protocol bytes; in between it does
// what a server's background processes would do. It imports nothing of the other rooms.

import v8 from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { DirectoryRefused, prepareDataDirectory } from "./data-directory.ts";
import { engineVersion } from "./engine-version.ts";
import { FsyncNodeFS } from "./fsync-node-fs.ts";
import { Maintenance } from "./maintenance.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./protocol.ts";
import { INITDB_PARAMS, START_PARAMS } from "./start-options.ts";
import { unpackTemplate } from "./unpack-template.ts";

/** `status` of the exception with which PGlite reports an ordinary SQL error. Any other exception is the end of the server. */
const LONGJMP = 100;

/**
 * V8's optimizing compiler takes up to 600 MB for a moment, for a single one of PGlite's functions. These keep it away. They hold for the whole
 * process and for WebAssembly alone; the first does not bring the others about once V8 runs.
 */
const BASELINE_COMPILER = ["--liftoff-only", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering"];

const port = parentPort;
if (!port) throw new Error("This file is the entry of a worker thread.");
const start = workerData as WorkerStart;
const send = (message: FromWorker) => port.postMessage(message);

/** The last lines of the server's log, for the message when it does not come up. */
const log: string[] = [];
const keepLog = (line: string): boolean => {
  log.push(line);
  if (log.length > 20) log.shift();
  return false;
};

function fatal(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error);
  send({ kind: "fatal", message: [text, ...log.filter((line) => /PANIC|FATAL/.test(line))].join("; ") });
  // Lets the message out and ends the thread; nothing that the broken server still holds may be written.
  process.exit(1);
}

async function open(): Promise<{ pg: PGlite; created: boolean; fromTemplate: boolean; timingsMs: Record<string, number> }> {
  const timingsMs: Record<string, number> = {};
  let last = performance.now();
  const lap = (name: string) => {
    timingsMs[name] = Math.round(performance.now() - last);
    last = performance.now();
  };
  const engine = engineVersion();
  let fromTemplate = false;
  const prepared = await prepareDataDirectory(start.directory, engine.postgresMajor, async (empty) => {
    fromTemplate = start.templateFile !== null && unpackTemplate(start.templateFile, engine, empty);
    if (fromTemplate) return lap("unpack");
    const first = await PGlite.create({
      fs: new FsyncNodeFS(empty),
      startParams: START_PARAMS,
      initDbStartParams: INITDB_PARAMS,
      onStderr: keepLog,
    });
    await first.close();
    lap("initdb");
  });
  lap("check");
  const files = new FsyncNodeFS(prepared.pgdata);
  const pg = await PGlite.create({ fs: files, startParams: START_PARAMS, onStderr: keepLog });
  lap("open");
  const mark = `flow-run ${prepared.id}`;
  if (prepared.created) await pg.exec(`COMMENT ON DATABASE postgres IS '${mark}'`);
  const { rows } = await pg.query<{ mark: string | null }>(
    "SELECT shobj_description(oid, 'pg_database') AS mark FROM pg_database WHERE datname = current_database()",
  );
  if (rows[0]?.mark !== mark) {
    throw new DirectoryRefused(
      "data-dir-corrupt",
      `${prepared.pgdata} does not contain the database that was made there. Restore the directory from a backup.`,
    );
  }
  const before = files.syncs;
  await pg.query("SELECT pg_logical_emit_message(true, 'flow-run', 'opened')");
  if (files.syncs === before) throw new Error("A commit was not forced to disk. This build of PGlite does not fit; report it.");
  lap("verify");
  return { pg, created: prepared.created, fromTemplate, timingsMs };
}

/** PGlite swallows every exception of its main loop, also those after which the server is gone; those must not look like answers. */
function watchForCrash(pg: PGlite): void {
  const module = pg.Module as unknown as Record<string, () => unknown>;
  for (const name of ["_PostgresMainLoopOnce", "_PostgresMainLongJmp"]) {
    const original = module[name] as () => unknown;
    module[name] = () => {
      try {
        return original();
      } catch (error) {
        if ((error as { status?: unknown }).status === LONGJMP) throw error;
        return fatal(error);
      }
    };
  }
}

function answer(pg: PGlite, request: Uint8Array): Uint8Array<ArrayBuffer> {
  if (request[0] === 0) return new Uint8Array(pg.execProtocolRawSync(request)); // the startup packet
  const chunks: Uint8Array[] = [];
  // Runs to its end before it returns its promise.
  void pg.execProtocolRawStream(request, { syncToFs: false, onRawData: (bytes) => chunks.push(bytes.slice()) });
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

async function serve(): Promise<void> {
  const { pg, ...opened } = await open();
  watchForCrash(pg);
  const maintenance = new Maintenance(pg);
  if (start.maintenance) maintenance.start();
  port?.on("message", (message: ToWorker) => {
    if (message instanceof Uint8Array) {
      const reply = answer(pg, message);
      port.postMessage(reply, [reply.buffer]);
      maintenance.countRequest();
    } else if (message.kind === "maintain") {
      void maintenance.pass();
    } else {
      maintenance.stop();
      pg.close().then(
        () => {
          send({ kind: "closed" });
          port.close();
        },
        (error) => fatal(error),
      );
    }
  });
  send({ kind: "opened", ...opened });
}

function explainRefusal(error: Error): { code: string; message: string } {
  if (error instanceof DirectoryRefused) return { code: error.code, message: error.message };
  const reasons = log.filter((line) => /PANIC|FATAL|ERROR/.test(line)).join("; ");
  const what = `The embedded database in ${start.directory} does not open: ${error.message}${reasons ? ` (${reasons})` : ""}.`;
  if (/No space left|ENOSPC/.test(what)) return { code: "database-full", message: `${what} Free some space and start again.` };
  if (reasons || /Aborted|failed to initialize|unreachable|INITDB/.test(what)) {
    return { code: "data-dir-corrupt", message: `${what} Restore the directory from a backup; do not delete it before.` };
  }
  return { code: "database-open-failed", message: what };
}

if (start.smallMemory) for (const flag of BASELINE_COMPILER) v8.setFlagsFromString(flag);
serve().catch((error: Error) => {
  send({ kind: "refused", ...explainRefusal(error) });
  port.close();
  process.exit(1);
});
