import { EXIT } from "./exit-code.ts";
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
  const { program, usageOf } = buildProgram(terminal, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    const parsing = error as { code?: string; exitCode?: number };
    const fromParser = typeof parsing.code === "string" && parsing.code.startsWith("commander.");
    // --help and --version end this way too.
    if (fromParser && parsing.exitCode === 0) return 0;
    // A group without its command has shown its help instead.
    if (parsing.code === "commander.help" && !wantsJson(args)) return EXIT.wrong;
    const { reportError } = await import("./report-error.ts");
    return reportError(fromParser ? await usageError(error as Error, usageOf()) : error, terminal, wantsJson(args));
  }
}

/** Whether the caller reads standard output as JSON, known also when the arguments could not be parsed. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  return options.some((arg, at) => arg === "--json" || arg === "--format=json" || (arg === "--format" && options[at + 1] === "json"));
}

async function usageError(error: Error, usage: string): Promise<Error> {
  const { CommandError } = await import("./command-error.ts");
  const { usageMessage } = await import("./usage-message.ts");
  const said = (error as { code?: string }).code === "commander.help" ? "missing command" : error.message;
  return new CommandError(usageMessage(said, usage));
}
