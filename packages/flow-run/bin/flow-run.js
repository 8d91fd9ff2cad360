#!/usr/bin/env node
// Plain JavaScript that every Node of the last years can read, so that an old one gets a sentence instead of a syntax error.
import module from "node:module";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `flow-run needs Node 22.18 or newer; this is Node ${process.versions.node} (${process.execPath}). Install a current one from https://nodejs.org; in a clone of flow-run, npx flow-run uses the one that npm ci installed.\n`,
  );
  process.exit(2);
}

// Compiled code is kept between starts: half the time of `flow-run --help`.
module.enableCompileCache?.();

import("../dist/cli/main.js")
  .then(({ main }) => main(process.argv.slice(2)))
  .then((code) => {
    process.exitCode = code;
  })
  .catch((error) => {
    const unbuilt = error?.code === "ERR_MODULE_NOT_FOUND" && String(error.message).includes("dist/cli/main.js");
    process.stderr.write(unbuilt ? "flow-run is not built here yet. Build it with: npm run build\n" : `${error?.stack ?? error}\n`);
    process.exitCode = unbuilt ? 2 : 70;
  });
