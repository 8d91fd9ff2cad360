import { execFile } from "node:child_process";
import events from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { buildTemplate } from "../../src/store/database/pglite/build-template.ts";
import { engineVersion } from "../../src/store/database/pglite/engine-version.ts";
import { startPostgres } from "./postgres-server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Port of the desk that hands out what tests share. */
    testDesk: number;
  }
}

/**
 * What all tests of a run share, made when the first one asks, so that runs without a database pay nothing: `postgres` is the URL of one PostgreSQL
 * server, `template` the file of an empty embedded database (kept between runs), `program` the file of the program, freshly built.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = once(startPostgres);
  const template = once(() => emptyTemplate(path.join(project.config.root, "node_modules/.cache/flow-run")));
  const program = once(() => buildProgram(project.config.root));
  const give: Record<string, () => Promise<string>> = { postgres: async () => (await postgres()).url, template, program };
  const desk = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (wish) => {
      Promise.resolve(give[String(wish)]?.()).then(
        (value) => socket.end(JSON.stringify({ value })),
        (error) => socket.end(JSON.stringify({ error: String(error?.stack ?? error) })),
      );
    });
  });
  desk.listen(0, "127.0.0.1");
  await events.once(desk, "listening");
  project.provide("testDesk", (desk.address() as net.AddressInfo).port);
  return async () => {
    desk.close();
    await (await postgres.made?.catch(() => undefined))?.stop();
  };
}

async function emptyTemplate(cache: string): Promise<string> {
  const file = path.join(cache, `empty-pglite-${engineVersion().pglite}.template`);
  if (!fs.existsSync(file)) await buildTemplate(file, "empty", async () => {});
  return file;
}

async function buildProgram(root: string): Promise<string> {
  try {
    await promisify(execFile)("npm", ["run", "--silent", "build"], { cwd: root });
  } catch (error) {
    throw new Error(`The program cannot be built: ${(error as { stdout?: string }).stdout ?? error}`);
  }
  return path.join(root, "packages/flow-run/bin/flow-run.js");
}

/** A maker that makes once, at the first call. */
function once<T>(make: () => Promise<T>): { (): Promise<T>; made?: Promise<T> } {
  const maker: { (): Promise<T>; made?: Promise<T> } = () => {
    maker.made ??= make();
    return maker.made;
  };
  return maker;
}
