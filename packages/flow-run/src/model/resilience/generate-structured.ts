import type { Json } from "@flow-run/spec";
import type { Message, ModelAnswer, ModelRequest } from "../model.ts";
import { ModelCallError } from "../model-call-error.ts";
import { type CallModelOptions, callModel, type ModelTarget } from "./call-model.ts";
import { parseJsonAnswer } from "./parse-json-answer.ts";

export interface OutputProblem {
  /** JSON Pointer into the answer; empty for the whole. */
  pointer: string;
  message: string;
}

export interface GenerateStructuredOptions extends CallModelOptions {
  /** Checks an answer against the schema; `value` is what counts from then on (defaults filled in, for example). */
  validate(value: Json): { value: Json; errors: readonly OutputProblem[] };
  /** How often the model is asked again, with the errors, when its answer does not fit. Default 2. */
  repairs?: number;
}

const DEFAULT_REPAIRS = 2;
const PROBLEMS_TOLD = 20;
const PROBLEMS_NAMED = 3;

/**
 * Asks for JSON until it fits. Each asking is a call with attempts of its own, booked like any other. Throws as `callModel` does, or
 * ModelCallError `output-invalid` that names the first problems.
 */
export async function generateStructured(
  options: GenerateStructuredOptions,
): Promise<ModelAnswer & ModelTarget & { value: Json; repairs: number }> {
  const most = options.repairs ?? DEFAULT_REPAIRS;
  let { request, targets } = options;
  let streamed = false;
  let isVoid = false;
  const onText =
    options.onText &&
    ((delta: string, attemptId: string) => {
      if (isVoid) options.onRestart?.(attemptId);
      isVoid = false;
      streamed = true;
      options.onText!(delta, attemptId);
    });
  for (let repairs = 0; ; repairs++) {
    const answer = await callModel({ ...options, request, targets, ...(onText === undefined ? {} : { onText }) });
    const { value, errors } = check(answer.text, options);
    if (errors.length === 0) return { ...answer, value, repairs };
    if (answer.finishReason === "length")
      throw outputInvalid(errors, repairs, " The answer was cut off at its token limit: raise config.maxOutputTokens.");
    if (repairs >= most) throw outputInvalid(errors, repairs, "");
    isVoid = streamed;
    streamed = false;
    request = repairRequest(options.request, answer.text, errors);
    // Whoever answered is up; those before it are not.
    targets = targets.slice(targets.findIndex(({ provider, model }) => provider === answer.provider && model === answer.model));
  }
}

function check(text: string, options: GenerateStructuredOptions): { value: Json; errors: readonly OutputProblem[] } {
  const parsed = parseJsonAnswer(text);
  return "problem" in parsed ? { value: null, errors: [{ pointer: "", message: parsed.problem }] } : options.validate(parsed.value);
}

/** The conversation so far, the answer that does not fit, and why. Only the last answer: older ones would cost and teach nothing. */
function repairRequest(request: ModelRequest, text: string, errors: readonly OutputProblem[]): ModelRequest {
  const list = errors.slice(0, PROBLEMS_TOLD).map(({ pointer, message }) => `- ${pointer === "" ? "the answer" : pointer}: ${message}`);
  const messages: Message[] = [
    ...request.messages,
    ...(text.trim() === "" ? [] : [{ role: "model" as const, content: [{ text }] }]),
    {
      role: "user",
      content: [
        {
          text: `Your answer does not fit the required format:\n${list.join("\n")}\nAnswer again with the complete corrected JSON and nothing else.`,
        },
      ],
    },
  ];
  return { ...request, messages };
}

function outputInvalid(errors: readonly OutputProblem[], repairs: number, hint: string): ModelCallError {
  const named = errors.slice(0, PROBLEMS_NAMED).map(({ pointer, message }) => (pointer === "" ? message : `${pointer} ${message}`));
  const more = errors.length > named.length ? ` and ${errors.length - named.length} more` : "";
  return new ModelCallError(
    "output-invalid",
    `The model's answer does not fit the output schema after ${repairs + 1} tries: ${named.join("; ")}${more}.${hint}`,
    {
      details: { errors: errors.slice(0, PROBLEMS_TOLD).map(({ pointer, message }) => ({ pointer, message })), tries: repairs + 1 },
    },
  );
}
