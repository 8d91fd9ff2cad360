import type { FlowRunError, Json } from "@flow-run/spec";
import type { CallModelHooks, CallModelOptions } from "../model/index.ts";
import { callModel, generateStructured, priceOf } from "../model/index.ts";
import type { LoadedTask } from "./loaded-release.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Renders a prompt and asks its model. Every request is in the journal before it is sent, and its usage is booked whatever comes back.
 * Returns text, or the validated object of a structured prompt. Throws FlowRunError.
 */
export async function executeTask(
  context: RunContext,
  { task, prompt }: LoadedTask,
  input: Json,
  path: string,
  signal: AbortSignal,
): Promise<Json> {
  const { world, release } = context;
  const messages = prompt.render({ input });
  const model = release.model(task.model);
  const booking = bookAttempts(context, task.model, path);
  const common = {
    targets: model.targets,
    providers: (name: string) => release.providers.get(name),
    request: { messages, config: task.config, ...(task.output.format === "json" ? { output: { schema: task.output.schema } } : {}) },
    timeoutMs: model.timeoutMs,
    retries: model.retries,
    modelName: task.model,
    hedge: model.hedge,
    limits: {
      shared: world.limits,
      scope: release.environment,
      ...model.limits,
      ...(release.providerLimits ? { ofProvider: release.providerLimits } : {}),
    },
    signal,
    clock: world.clock,
    random: () => world.random(),
    hooks: booking.hooks,
    ...(task.output.format === "text" ? tellText(context, path, booking.numberOf) : {}),
  };
  if (task.output.format === "json") {
    const schema = task.output.schema ?? true;
    const answer = await generateStructured({ ...common, validate: (value: Json) => world.validators.validate(schema, value) });
    return answer.value;
  }
  return (await callModel(common)).text;
}

/** Tells text as it comes, with its place: which attempt writes it, and how much of it there was before. */
function tellText(
  context: RunContext,
  path: string,
  numberOf: (attemptId: string) => number,
): Pick<CallModelOptions, "wantsText" | "onText" | "onRestart"> {
  const written = new Map<string, number>();
  return {
    wantsText: () => context.world.wantsText(context.run.id),
    onText(text, attemptId) {
      const offset = written.get(attemptId) ?? 0;
      written.set(attemptId, offset + text.length);
      context.emit({ type: "text-delta", path, attempt: numberOf(attemptId), offset, text });
    },
    onRestart: (attemptId) => context.emit({ type: "text-restarted", path, attempt: numberOf(attemptId) }),
  };
}

function bookAttempts(
  context: RunContext,
  modelName: string,
  path: string,
): { hooks: CallModelHooks; numberOf: (attemptId: string) => number } {
  const { world, release, journal } = context;
  const price = release.model(modelName).price;
  const started = new Map<string, { number: number; atMs: number }>();
  const hooks: CallModelHooks = {
    async attemptStarting(target) {
      context.checkBudget();
      const id = world.newAttemptId();
      const number = context.nextAttemptNumber(path);
      const atMs = world.clock.now();
      journal.appendAttemptStart({ id, stepPath: path, number, provider: target.provider, model: target.model, startedAtMs: atMs });
      await journal.commit();
      started.set(id, { number, atMs });
      context.emit({ type: "attempt-started", path, number, ...target });
      return { attemptId: id };
    },
    attemptEnded({ attemptId, target, answer, error }) {
      const start = started.get(attemptId)!;
      const usage = answer?.usage ?? error?.usage ?? null;
      const { costNanoUsd, priceVersion } = usage
        ? priceOf({
            provider: target.provider,
            providerType: release.providers.typeOf(target.provider),
            baseUrl: release.providers.baseUrlOf(target.provider),
            model: target.model,
            responseModel: answer?.responseModel ?? null,
            usage,
            rawUsage: answer?.rawUsage ?? error?.rawUsage,
            override: price,
            atMs: start.atMs,
          })
        : { costNanoUsd: error && isUnbilled(error) ? 0 : null, priceVersion: null };
      context.spend(costNanoUsd ?? 0, usage ? Object.values(usage).reduce((sum, tokens) => sum + tokens, 0) : 0);
      const finishedAtMs = world.clock.now();
      journal.appendAttemptEnd({
        id: attemptId,
        status: error ? "failed" : "succeeded",
        usage,
        rawUsage: answer?.rawUsage ?? error?.rawUsage ?? null,
        costNanoUsd,
        priceVersion,
        error: error ? { code: error.code, message: error.message, retryable: error.retryable } : null,
        finishReason: answer?.finishReason ?? null,
        responseModel: answer?.responseModel ?? null,
        timeToFirstTokenMs: answer?.timeToFirstTokenMs ?? null,
        finishedAtMs,
      });
      context.emit({
        type: "attempt-ended",
        path,
        number: start.number,
        ...target,
        errorCode: error?.code ?? null,
        costNanoUsd,
        durationMs: finishedAtMs - start.atMs,
      });
      // A retry may wait for many seconds; the bill must not wait with it. A fence is found out by the next commit that somebody awaits.
      if (error) journal.commit().catch(() => {});
    },
  };
  return { hooks, numberOf: (attemptId) => started.get(attemptId)!.number };
}

/** Errors after which no vendor charges: the request was refused or never arrived. */
function isUnbilled(error: FlowRunError): boolean {
  return ["provider-unreachable", "rate-limited", "provider-rejected", "unauthorized"].includes(error.code);
}
