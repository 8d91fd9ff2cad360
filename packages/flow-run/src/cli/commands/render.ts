import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import { findFlow } from "../find-flow.ts";
import { loadBundle } from "../load-project.ts";
import type { CommonOptions } from "../program.ts";
import { readInput } from "../read-input.ts";
import { renderPrompt } from "../render-prompt.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";

interface Options extends CommonOptions {
  input?: string;
  env?: string;
  model: string[];
}

/** Prints the exact messages of a prompt and the request that its provider would get. Nothing is sent, no key is needed. */
export async function render({ terminal, options }: { terminal: Terminal; options: Options }, prompt: string, pairs: string[]): Promise<number> {
  const { bundle, name, modelWritten } = await bundleWith(prompt, options, terminal);
  const task = findFlow(bundle, name);
  if (task.kind !== "task") throw new CommandError(`${name} is a ${task.kind}, and only prompts can be rendered. Its prompts: flow-run run ${name} --steps shows them.`);
  const input = await readInput(options.input, pairs, task.input);
  const rendered = await renderPrompt(bundle, task, input, options.env ?? "local");
  if (modelWritten) rendered.model = modelWritten;
  if (options.json) terminal.out(`${JSON.stringify(rendered, null, 2)}\n`);
  else {
    for (const message of rendered.messages) {
      terminal.out(`${terminal.style(["bold", "cyan"], message.role)}\n`);
      for (const part of message.content) terminal.out(`${"text" in part ? printable(part.text) : `[media ${part.media.contentType ?? ""} ${part.media.url.slice(0, 120)}]`}\n`);
      terminal.out("\n");
    }
    terminal.out(`${terminal.style("dim", `request to ${rendered.model} (not sent)`)}\n`);
    terminal.out(`${rendered.request ? `${rendered.request.method} ${rendered.request.url}\n${JSON.stringify(rendered.request.body, null, 2)}` : "answered in this process by the simulator"}\n`);
  }
  return EXIT.fine;
}

/** The project's bundle, or one with just the given file when that is outside a project's prompts. */
async function bundleWith(prompt: string, options: Options, terminal: Terminal) {
  if (!prompt.endsWith(".prompt")) {
    return { bundle: (await loadBundle(options.project, options.model, terminal)).bundle, name: prompt, modelWritten: undefined };
  }
  const { loadPromptFile } = await import("../load-prompt-file.ts");
  return loadPromptFile(prompt, options.project, options.model, terminal);
}

