// Takes away, in the background and a little at a time, what environments no longer keep: contents of runs, runs, webhook deliveries. Which is what the current
// release of an environment says.
export { Pruner, type PrunerParts } from "./pruner.ts";
