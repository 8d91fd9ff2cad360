// Preloaded into a process (and its worker threads): fsync fails as on a broken disk once the file named by BREAK_FSYNC exists.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const fsync = fs.fsyncSync;
fs.fsyncSync = (fd: number) => {
  if (process.env.BREAK_FSYNC && fs.existsSync(process.env.BREAK_FSYNC))
    throw Object.assign(new Error("EIO: i/o error, fsync"), { code: "EIO" });
  fsync(fd);
};
syncBuiltinESMExports();
