#!/usr/bin/env node
// Plain JavaScript that every Node of the last ten years can read, so that an old one gets a sentence instead of a syntax error.
var version = process.versions.node.split(".").map(Number);
if (version[0] < 22 || (version[0] === 22 && version[1] < 18)) {
  process.stderr.write(
    "flow-run needs Node 22.18 or newer; this is Node " +
      process.versions.node +
      " (" +
      process.execPath +
      "). Install a current Node, or run it through npm: npx flow-run\n",
  );
  process.exit(2);
}
import("node:module")
  .then((module) => {
    // Compiled code is kept between starts: half the time of `flow-run --help`.
    if (module.enableCompileCache) module.enableCompileCache();
    return import("../dist/cli/main.js");
  })
  .then((main) => main.main(process.argv.slice(2)))
  .then((code) => {
    process.exitCode = code;
  });
