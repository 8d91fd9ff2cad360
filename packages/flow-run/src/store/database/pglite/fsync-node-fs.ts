import fs from "node:fs";
import type { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

interface Stream {
  nfd: number;
  node: { mode: number };
}

interface EmscriptenModule {
  FS: { isDir(mode: number): boolean };
  NODEFS: { realPath(node: unknown): string; stream_ops: { fsync?: (stream: Stream) => number } };
}

/**
 * PGlite's directory on disk, with the fsync that the stock one lacks: there the system call exists and does nothing, so a power cut loses commits.
 * It reaches into PGlite's file system, so the version is pinned and every open checks `syncs`.
 */
export class FsyncNodeFS extends NodeFS {
  /** How many times a file or directory was forced to disk. */
  syncs = 0;

  override async init(pg: PGlite, options: Parameters<NodeFS["init"]>[1]): ReturnType<NodeFS["init"]> {
    const result = await super.init(pg, options);
    const hook = (module: unknown) => {
      const { FS, NODEFS } = module as EmscriptenModule;
      NODEFS.stream_ops.fsync = (stream) => {
        try {
          if (FS.isDir(stream.node.mode)) syncDirectory(NODEFS.realPath(stream.node));
          else fs.fsyncSync(stream.nfd);
        } catch (error) {
          dieOfFailedSync(error);
        }
        this.syncs++;
        return 0;
      };
    };
    result.emscriptenOpts.preRun = [...(result.emscriptenOpts.preRun ?? []), hook] as typeof result.emscriptenOpts.preRun;
    return result;
  }
}

export function syncDirectory(directory: string): void {
  if (process.platform === "win32") return; // directories cannot be opened there
  const fd = fs.openSync(directory, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * After a failed fsync the kernel may have dropped the pages and will report success next time, so nothing that was written can be trusted. The whole
 * process has to end, at once and from this worker; what is on disk is recovered at the next start.
 */
function dieOfFailedSync(error: unknown): never {
  fs.writeSync(
    2,
    `flow-run: the disk failed to store data (${error instanceof Error ? error.message : error}). Stopping at once so that nothing more is accepted.\n`,
  );
  process.kill(process.pid, "SIGKILL"); // process.abort() does not exist in a worker thread, and SIGABRT waits for the main one
  for (;;);
}
