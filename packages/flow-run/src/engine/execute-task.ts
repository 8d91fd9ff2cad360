import type { FlowRunError, Json, TokenUsage } from "@flow-run/spec";
import type { CallModelHooks, CallModelOptions, ModelTarget } from "../model/index.ts";
import { callModel, estimateCall, generateStructured, priceOf } from "../model/index.ts";
import type { Budget, BudgetReservation } from "./budget.ts";
import { cachedAnswers } from "./cached-answers.ts";
import type { LoadedTask } from "./loaded-release.ts";
import type { FlowPlace, RunContext } from "./run-context.ts";

/**
 * Renders a prompt and asks its model. Every request is in the journal before it is sent, and its usage is booked whatever comes back.
 * Returns text, or the validated object of a structured prompt. Throws FlowRunError.
 */
export async function executeTask(
  context: RunContext,
  { task, prompt }: LoadedTask,
  input: Json,
  { path, budget }: FlowPlace,
  signal: AbortSignal,
): Promise<Json> {
  const { world, release } = context;
  const messages = prompt.render({ input });
  const model = release.model(task.model);
  const schema = task.output.format === "json" ? (task.output.schema ?? true) : null;
  const answers = cachedAnswers(release, task, model, messages);
  if (answers) {
    const fits = (output: Json) =>
      schema === null ? typeof output === "string" : world.validators.validate(schema, output).errors.length === 0;
    const output = await answers.find(fits);
    if (output !== undefined) return giveAgain(context, answers.target, path, output);
  }
  const booking = bookAttempts(context, task.model, path, budget);
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
  if (schema !== null) {
    const answer = await generateStructured({ ...common, validate: (value: Json) => world.validators.validate(schema, value) });
    answers?.keep(answer, answer.value);
    return answer.value;
  }
  const answer = await callModel(common);
  answers?.keep(answer, answer.text);
  return answer.text;
}

/** An answer from the cache: an attempt that costs nothing and for which nothing is sent, so nothing has to be durable before. */
function giveAgain(context: RunContext, target: ModelTarget, path: string, output: Json): Json {
  const { world, journal } = context;
  const number = context.nextAttemptNumber(path);
  journal.appendAttemptStart({
    id: world.newAttemptId(),
    stepPath: path,
    number,
    provider: target.provider,
    model: target.model,
    startedAtMs: world.clock.now(),
    cached: true,
  });
  if (typeof output === "string" && world.wantsText(context.run.id)) {
    context.emit({ type: "text-delta", path, attempt: number, offset: 0, text: output });
  }
  return output;
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
  budget: Budget | null,
): { hooks: CallModelHooks; numberOf: (attemptId: string) => number } {
  const { world, release, journal } = context;
  const { price } = release.model(modelName);
  const started = new Map<string, { number: number; atMs: number; reservation: BudgetReservation | undefined }>();
  const priced = (target: ModelTarget, atMs: number) => ({
    provider: target.provider,
    providerType: release.providers.typeOf(target.provider),
    baseUrl: release.providers.baseUrlOf(target.provider),
    model: target.model,
    override: price,
    atMs,
  });
  const hooks: CallModelHooks = {
    ...(budget === null
      ? {}
      : {
          reserve: (target, request, signal) =>
            budget.reserve(estimateCall(request, budget.limitsCost ? priced(target, world.clock.now()) : null), signal),
        }),
    async attemptStarting(target, reservation?: BudgetReservation) {
      const id = world.newAttemptId();
      const number = context.nextAttemptNumber(path);
      const atMs = world.clock.now();
      journal.appendAttemptStart({
        id,
        stepPath: path,
        number,
        provider: target.provider,
        model: target.model,
        startedAtMs: atMs,
        estimate: reservation?.estimate ?? null,
      });
      await journal.commit();
      started.set(id, { number, atMs, reservation });
      context.emit({ type: "attempt-started", path, number, ...target });
      return { attemptId: id };
    },
    attemptEnded({ attemptId, target, answer, error }) {
      const start = started.get(attemptId)!;
      const usage = answer?.usage ?? error?.usage ?? null;
      const { costNanoUsd, priceVersion } = usage
        ? priceOf({
            ...priced(target, start.atMs),
            responseModel: answer?.responseModel ?? null,
            usage,
            rawUsage: answer?.rawUsage ?? error?.rawUsage,
          })
        : { costNanoUsd: error && isUnbilled(error) ? 0 : null, priceVersion: null };
      if (start.reservation) settle(start.reservation, usage, costNanoUsd);
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

/** What is not known counts as it was estimated; a call that cost nothing used nothing. */
function settle(reservation: BudgetReservation, usage: TokenUsage | null, costNanoUsd: number | null): void {
  const { estimate } = reservation;
  const used = usage === null ? null : Object.values(usage).reduce((sum, tokens) => sum + tokens, 0);
  reservation.settle({
    costNanoUsd: costNanoUsd ?? estimate.costNanoUsd ?? 0,
    tokens: used ?? (costNanoUsd === 0 ? 0 : estimate.tokens),
  });
}

/** Errors after which no vendor charges: the request was refused or never arrived. */
function isUnbilled(error: FlowRunError): boolean {
  return ["provider-unreachable", "rate-limited", "provider-rejected", "unauthorized"].includes(error.code);
}
