import { FlowRunError } from "@flow-run/spec";
import { exitCodeOf } from "./exit-code-of.ts";
import { printable, type Terminal } from "./terminal.ts";

/** Says once what went wrong: for people on standard error, and with `json` as the one document on standard output. Returns the exit code. */
export function reportError(error: unknown, terminal: Terminal, json: boolean): number {
  const known = FlowRunError.isInstance(error);
  if (json) {
    const { code, message } = known ? error : { code: "defect", message: String(error) };
    terminal.json({ error: { code, message, ...(known ? error.details : {}) } });
  }
  if (json && known) return exitCodeOf(error);
  if (known) terminal.err(`${terminal.style("red", "error")}: ${printable(error.message)}\n`);
  else terminal.err(`flow-run failed in a way it should not have. Please report this:\n${(error as Error)?.stack ?? String(error)}\n`);
  return exitCodeOf(error);
}
