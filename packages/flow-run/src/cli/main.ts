import { FlowRunError } from "@flow-run/spec";
import { exitCodeOf } from "./exit-code.ts";
import { buildProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

/** Runs the command line and resolves with the exit code. Only what a command needs is loaded. */
export async function main(args: string[]): Promise<number> {
  const terminal = processTerminal();
  // A reader that goes away (`flow-run runs list | head`) is not an error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
  });
  let code = 0;
  const program = buildProgram(terminal, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    const commander = error as { code?: string; exitCode?: number };
    if (typeof commander.code === "string" && commander.code.startsWith("commander.")) return commander.exitCode === 0 ? 0 : 2;
    if (args.includes("--json")) {
      const { code: errorCode, message } = FlowRunError.isInstance(error) ? error : { code: "defect", message: String(error) };
      terminal.out(`${JSON.stringify({ error: { code: errorCode, message } })}\n`);
    }
    if (FlowRunError.isInstance(error)) terminal.err(`${terminal.style("red", "error")}: ${error.message}\n`);
    else terminal.err(`flow-run failed in a way it should not have. Please report this:\n${(error as Error)?.stack ?? String(error)}\n`);
    return exitCodeOf(error);
  }
}
