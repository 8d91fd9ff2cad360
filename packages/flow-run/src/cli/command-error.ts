import { FlowRunError } from "@flow-run/spec";

/** The command line or the project is wrong: exit code 2. */
export class CommandError extends FlowRunError {
  constructor(message: string, options: { code?: string; details?: Record<string, unknown> } = {}) {
    super(options.code ?? "wrong-command", message, { details: options.details });
  }
}
