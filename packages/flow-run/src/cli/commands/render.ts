import { CommandError } from "../command-error.ts";
import { environmentOf } from "../environment-of.ts";
import { EXIT } from "../exit-code.ts";
import { findFlow } from "../find-flow.ts";
import { loadBundle } from "../load-project.ts";
import type { LoadedPromptFile } from "../load-prompt-file.ts";
import type { CommonOptions } from "../program.ts";
import { readInput } from "../read-input.ts";
import { renderPrompt } from "../render-prompt.ts";
import type { Terminal } from "../terminal.ts";
import { renderedView } from "../views/rendered.ts";

interface Options extends CommonOptions {
  input?: string;
  env?: string;
  model?: string[];
}

/** Prints the exact messages of a prompt and the request that its provider would get. Nothing is sent, no key is needed. */
export async function render(
  { terminal, options }: { terminal: Terminal; options: Options },
  prompt: string,
  pairs: string[],
): Promise<number> {
  const { bundle, name, modelWritten } = await bundleWith(prompt, options, terminal);
  const task = findFlow(bundle, name, "task");
  if (task.kind !== "task") {
    throw new CommandError(`${name} is a ${task.kind}; only prompts can be rendered. See what it does: flow-run run ${name} --steps`);
  }
  const environment = modelWritten === undefined ? environmentOf(bundle, options.env) : "local";
  const isGiven = options.input !== undefined || pairs.length > 0;
  const input = isGiven ? await readInput(options.input, pairs, task.input) : undefined;
  const rendered = {
    ...(await renderPrompt(bundle, task, input, environment)),
    ...(modelWritten === undefined ? {} : { model: modelWritten }),
  };
  if (options.json) terminal.json(rendered);
  else terminal.out(renderedView(rendered, modelWritten === undefined, terminal));
  return EXIT.fine;
}

/** The project's bundle, or one with just the given file. */
async function bundleWith(prompt: string, options: Options, terminal: Terminal): Promise<LoadedPromptFile> {
  if (!prompt.endsWith(".prompt")) return { bundle: (await loadBundle(options, terminal)).bundle, name: prompt };
  const { loadPromptFile } = await import("../load-prompt-file.ts");
  return loadPromptFile(prompt, options, terminal);
}
