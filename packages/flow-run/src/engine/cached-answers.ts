import type { Json } from "@flow-run/spec";
import { type CompiledTask, hashJson } from "../compile/index.ts";
import type { Message, ModelAnswer, ModelTarget } from "../model/index.ts";
import type { CacheKey } from "../store/index.ts";
import type { EngineModel, EngineRelease } from "./run-context.ts";

/** The answers that one call may be given from the cache, or give to it. */
export interface CachedAnswers {
  /** Who would be asked first. */
  readonly target: ModelTarget;
  /** What the step may give without asking; undefined: the model must be asked. */
  find(fits: (output: Json) => boolean): Promise<Json | undefined>;
  /** Keeps an answer that fits and that its model ended by itself. One of a fallback is not what the next caller asks for. */
  keep(answer: ModelAnswer & ModelTarget, output: Json): void;
}

/** Changes when what is kept under a key changes its meaning. */
const FORMAT = 1;

/** Null for a prompt whose model keeps nothing, which costs such calls nothing. */
export function cachedAnswers(
  release: EngineRelease,
  task: CompiledTask,
  model: EngineModel,
  messages: readonly Message[],
): CachedAnswers | null {
  const ttlMs = task.cacheMs ?? model.cacheMs ?? 0;
  const { cache, environment } = release;
  const target = model.targets[0];
  if (ttlMs <= 0 || cache === undefined || target === undefined) return null;
  const { config, output } = task;
  const content = { FORMAT, provider: cache.providerHash(target.provider), model: target.model, messages, config, output };
  const key: CacheKey = { environment, key: hashJson(content), ttlMs };
  return {
    target,
    async find(fits) {
      const found = await cache.answers.get(key);
      return found !== null && fits(found.output) ? found.output : undefined;
    },
    keep({ provider, model: answered, finishReason }, value) {
      if (finishReason !== "stop" || provider !== target.provider || answered !== target.model) return;
      cache.answers.put(key, { output: value });
    },
  };
}
