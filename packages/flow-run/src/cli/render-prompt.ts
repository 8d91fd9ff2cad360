import type { Json } from "@flow-run/spec";
import type { Bundle, CompiledTask } from "../compile/index.ts";
import { preparePrompt, resolveModel } from "../compile/index.ts";
import type { CapturedRequest, Message } from "../model/index.ts";
import { captureRequest } from "../model/index.ts";
import { checkInput } from "./check-input.ts";

export interface RenderedPrompt {
  /** `provider/model` that would be asked first. */
  model: string;
  config: { [name: string]: Json };
  messages: Message[];
  output: CompiledTask["output"];
  /** As it would leave the process, without keys; null when the simulator answers in this process. */
  request: CapturedRequest | null;
}

/** A prompt with its input filled in, as messages and as the provider's request. Throws CommandError for input that does not fit. */
export async function renderPrompt(bundle: Bundle, task: CompiledTask, given: Json, environment: string): Promise<RenderedPrompt> {
  const input = checkInput(task, given);
  const messages = preparePrompt({ template: task.template, partials: task.partials, defaults: task.defaults }).render({
    input,
  }) as Message[];
  const target = resolveModel(bundle, environment, task.model).targets[0]!;
  const request = await captureRequest({
    provider: bundle.providers[target.provider]!,
    secret: (name) => process.env[name] || `secrets.${name}`,
    model: target.model,
    request: { messages, config: task.config, ...(task.output.format === "json" ? { output: { schema: task.output.schema } } : {}) },
  });
  return { model: `${target.provider}/${target.model}`, config: task.config, messages, output: task.output, request };
}
