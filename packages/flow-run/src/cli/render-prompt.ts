import type { Json, JsonSchema } from "@flow-run/spec";
import type { Bundle, CompiledTask, MessageWithSections } from "../compile/index.ts";
import { preparePrompt, resolveModel } from "../compile/index.ts";
import type { CapturedRequest } from "../model/index.ts";
import { captureRequest } from "../model/index.ts";
import { checkInput } from "./check-input.ts";

export interface RenderedPrompt {
  /** `provider/model` that would be asked first. */
  model: string;
  config: { [name: string]: Json };
  /** As the Dotprompt specification has them: places that `{{section}}` reserves stand among the parts. */
  messages: MessageWithSections[];
  output: CompiledTask["output"];
  /** As it would leave the process, without keys; null when the simulator answers in this process. */
  request: CapturedRequest | null;
}

/**
 * A prompt with its input filled in, as messages and as the provider's request; `given` undefined: without input. Throws CommandError for input that
 * does not fit.
 */
export async function renderPrompt(
  bundle: Bundle,
  task: CompiledTask,
  given: Json | undefined,
  environment: string,
): Promise<RenderedPrompt> {
  // Nothing can be said of the variables of an input that is no object: without input, such a prompt is shown as it is.
  const input = given === undefined && !takesObject(task.input) ? {} : checkInput(task, given ?? {});
  const prompt = preparePrompt({ template: task.template, partials: task.partials, defaults: task.defaults });
  const target = resolveModel(bundle, environment, task.model).targets[0]!;
  const request = await captureRequest({
    provider: bundle.providers[target.provider]!,
    secret: (name) => process.env[name] || `secrets.${name}`,
    model: target.model,
    request: {
      messages: prompt.render({ input }),
      config: task.config,
      ...(task.output.format === "json" ? { output: { schema: task.output.schema } } : {}),
    },
  });
  return {
    model: `${target.provider}/${target.model}`,
    config: task.config,
    messages: prompt.renderWithSections({ input }),
    output: task.output,
    request,
  };
}

function takesObject(schema: JsonSchema | undefined): boolean {
  return typeof schema === "object" && (schema.type === "object" || schema.properties !== undefined);
}
