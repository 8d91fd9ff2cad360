import type { ModelAnswer, ModelCallOptions, ModelProvider, ModelRequest } from "../model.ts";

export type Turn = (options: ModelCallOptions, request: ModelRequest) => ModelAnswer | Promise<ModelAnswer>;

/** A provider in this process that answers turn by turn; the last turn repeats. */
export class ScriptedProvider implements ModelProvider {
  readonly requests: ModelRequest[] = [];
  readonly attemptIds: (string | undefined)[] = [];
  private readonly turns: Turn[];

  constructor(...turns: Turn[]) {
    this.turns = turns;
  }

  async call(_model: string, request: ModelRequest, options: ModelCallOptions): Promise<ModelAnswer> {
    this.requests.push(request);
    this.attemptIds.push(options.attemptId);
    const turn = this.turns.length > 1 ? this.turns.shift()! : this.turns[0]!;
    return turn(options, request);
  }

  async close(): Promise<void> {}
}

export function answerOf(text: string, more: Partial<ModelAnswer> = {}): ModelAnswer {
  return {
    text,
    finishReason: "stop",
    usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    rawUsage: { in: 10, out: 5 },
    responseModel: "m",
    responseId: "r",
    timeToFirstTokenMs: null,
    ...more,
  };
}

export const says =
  (text: string, more: Partial<ModelAnswer> = {}): Turn =>
  ({ onText }) => {
    onText?.(text);
    return answerOf(text, more);
  };

export const fails =
  (error: Error, textBefore?: string): Turn =>
  ({ onText }) => {
    if (textBefore !== undefined) onText?.(textBefore);
    throw error;
  };

/** Answers when its signal aborts, with that. */
export const hangs: Turn = ({ signal }) =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
