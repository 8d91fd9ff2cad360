// The program as a library: what tests and tools of other projects may build on. The command line is the main way in.
export { type Bundle, compileProject } from "./compile/index.ts";
export { type RunningServer, runLocally, type ServerOptions, startServer } from "./compose.ts";
export { startSimulatorServer } from "./model/index.ts";
export { readProject } from "./project/index.ts";
