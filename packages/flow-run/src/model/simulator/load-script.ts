import { FlowRunError, rangeOf, type SimulatorScript, simulatorSettingsSchema, type TextPlace } from "@flow-run/spec";
import { LineCounter, parseDocument } from "yaml";

const MOST_BYTES = 4 * 1024 * 1024;
const MOST_PROBLEMS_SHOWN = 20;

/** A mistake in a script; line and column count from 1. */
export interface SimulatorScriptProblem extends TextPlace {
  message: string;
}

/**
 * Reads a script's text, YAML or JSON; the settings of a provider of type `simulator`, written as JSON, are one as well. Throws FlowRunError `invalid-simulator-script` that names every mistake with its line;
 * `details.problems` has them as data.
 */
export function parseSimulatorScript(text: string, file = "script"): SimulatorScript {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const syntax: SimulatorScriptProblem[] = document.errors.map(({ message, pos }) => {
    const { line, col } = lineCounter.linePos(pos[0]);
    return { line, column: col, message };
  });
  if (syntax.length > 0) throw invalidScript(file, syntax);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw invalidScript(file, [{ line: 1, column: 1, message: (error as Error).message }]);
  }
  const parsed = simulatorSettingsSchema.safeParse(value);
  if (parsed.success) {
    const { script, ...own } = parsed.data;
    if (typeof script !== "string") return { ...script, ...own };
    const message = `script: the file ${script} is named but its content is not here; write its keys in place of its name`;
    throw invalidScript(file, [{ line: 1, column: 1, message }]);
  }
  const source = { document, lineCounter, start: 0, file: { path: file, text } };
  const problems = parsed.error.issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === "number" ? key : String(key)));
    if (issue.code !== "unrecognized_keys") return [problemAt(path, "value", issue.message)];
    return issue.keys.map((key) => problemAt([...path, key], "key", "is not a key that is known here"));
  });
  throw invalidScript(file, problems);

  function problemAt(path: (string | number)[], at: "key" | "value", message: string): SimulatorScriptProblem {
    const { line, column } = rangeOf(source, path, at);
    return { line, column, message: path.length === 0 ? message : `${path.join(".")}: ${message}` };
  }
}

/** Reads a script's file. Throws FlowRunError `simulator-script-unreadable`, or as `parseSimulatorScript` does. */
export async function loadSimulatorScript(file: string): Promise<SimulatorScript> {
  const { readFile, stat } = await import("node:fs/promises");
  let text: string;
  try {
    const about = await stat(file);
    if (!about.isFile()) throw new Error("it is not a regular file");
    if (about.size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES / 1024 / 1024} MB`);
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (error as Error).message;
    throw new FlowRunError("simulator-script-unreadable", `The simulator's script ${file} cannot be read: ${why}.`, { cause: error });
  }
  return parseSimulatorScript(text, file);
}

function invalidScript(file: string, problems: SimulatorScriptProblem[]): FlowRunError {
  const shown = problems.slice(0, MOST_PROBLEMS_SHOWN).map(({ line, column, message }) => `  ${file}:${line}:${column} ${message}`);
  const more = problems.length > shown.length ? [`  … and ${problems.length - shown.length} more`] : [];
  return new FlowRunError("invalid-simulator-script", [`The simulator's script has mistakes:`, ...shown, ...more].join("\n"), {
    details: { problems },
  });
}
