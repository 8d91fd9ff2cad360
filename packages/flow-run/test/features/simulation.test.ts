import type { Json, TokenUsage } from "@flow-run/spec";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../src/compile/index.ts";
import { createValidators, resolveModel } from "../../src/compile/index.ts";
import type { EngineRelease, EngineWorld, LoadedFlows, RunBell } from "../../src/engine/index.ts";
import { executeRun, loadFlows } from "../../src/engine/index.ts";
import type { ModelProvider } from "../../src/model/index.ts";
import { createModelLimits, ModelCallError } from "../../src/model/index.ts";
import type { RunEnd } from "../../src/store/index.ts";
import { compileFiles } from "../support/compile-files.ts";
import { Crash, Memory, random, SimulatedJournal, Timeline, tokensOf } from "../support/simulated-world.ts";

/**
 * The walker under a seeded clock, order and faults: workers that crash, freeze past their lease and come back, commits that fail before or after
 * they took effect, a model that fails, and signals. One seed is one history; a failing seed replays exactly.
 */

const SEEDS = Number(process.env.FLOW_RUN_SEEDS ?? 2_000);
const WAITING_SEEDS = Math.ceil(SEEDS / 2);

/** Of the run with limits: enough for all its calls when few of them are lost. */
const TOKENS = 220;

const FILES = {
  "flow-run.yaml": "name: sim\nproviders: { p: { type: simulator } }\nmodels: { default: { use: p/m, retries: 2, timeout: 5s } }\n",
  "prompts/one.prompt": "---\ninput: { schema: { n: integer } }\n---\none {{n}}\n",
  "prompts/two.prompt": "---\ninput: { schema: { text: string } }\n---\ntwo {{text}}\n",
  "flows/inner.yaml":
    "input: { text: string }\nsteps:\n  - { id: a, run: two, with: { text: '${{ input.text }}' } }\n  - { id: b, run: two, with: { text: '${{ steps.a.output }}' } }\n",
  "flows/main.yaml": `input: { ns(array): integer }
steps:
  - { id: first, run: one, with: { n: 1 } }
  - id: each
    forEach: "\${{ input.ns }}"
    as: n
    concurrency: 2
    run: one
    with: { n: "\${{ n }}" }
  - parallel:
      - { id: left, run: inner, with: { text: "\${{ steps.first.output }}" } }
      - { id: right, run: two, with: { text: right }, onError: continue }
  - { id: never, if: "\${{ size(steps.each.output) > 99 }}", run: one, with: { n: 9 } }
  - { id: last, run: two, with: { text: "\${{ steps.left.output + string(steps.right.output == null) }}" } }
output: { text: "\${{ steps.last.output }}", each: "\${{ steps.each.output }}" }
`,
  "prompts/short.prompt": "---\nconfig: { maxOutputTokens: 10 }\ninput: { schema: { text: string } }\n---\nshort {{text}}\n",
  "flows/asks.yaml": `steps:
  - { id: before, run: short, with: { text: before } }
  - { id: go, wait: { signal: go } }
  - { id: after, run: short, with: { text: "\${{ string(steps.go.output) }}" } }
limits: { tokens: 90 }
`,
  "flows/waiting.yaml": `input: { ns(array): integer }
steps:
  - parallel:
      - { id: left, run: asks, onError: continue }
      - { id: right, run: short, with: { text: right }, onError: continue }
      - { id: nap, wait: { for: 6s } }
  - { id: votes, forEach: "\${{ input.ns }}", as: n, concurrency: 2, wait: { signal: vote, timeout: 6s }, onError: continue }
  - { id: last, forEach: "\${{ input.ns }}", as: n, run: short, with: { text: "\${{ string(n) }}" } }
output: "\${{ steps.last.output }}"
limits: { tokens: ${TOKENS} }
`,
};

interface Outcome {
  problem: string;
  calls: number;
  paid: number;
  succeeded: boolean;
}

const NO_USAGE: TokenUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };

const validators = createValidators();

/** `forgets`: limits of a run that is taken over do not count calls whose answer nobody saw. */
async function simulate(
  { bundle, flows }: { bundle: Bundle; flows: LoadedFlows },
  flow: "main" | "waiting",
  seed: number,
  { fence = true, forgets = false }: { fence?: boolean; forgets?: boolean } = {},
): Promise<Outcome> {
  const next = random(seed);
  const time = new Timeline(next);
  const memory = new Memory();
  const LEASE = 500;
  const asked: { step: string; recordedBefore: boolean; attempt: string }[] = [];
  let crashes = 0;
  let billed = 0;
  let ring = () => {};

  /** Somebody who answers whatever is asked first, now and then; and the database's clock. */
  const outside = async () => {
    for (let n = 0; memory.end === null; n++) {
      await time.after(100 + next() * 400);
      if (memory.wakeAt !== null && memory.wakeAt <= time.now) memory.wake();
      const asked = [...memory.waits.values()].find((wait) => wait.signal !== null && !wait.delivered && wait.dueAt > time.now);
      if (!asked || next() < 0.3) continue;
      asked.delivered = true;
      asked.payload = n;
      if (memory.wakeAt !== null) memory.wake();
      else ring();
    }
  };

  const worker = async () => {
    while (memory.end === null) {
      await time.after(memory.wakeAt === null ? 20 + next() * 60 : 200 + next() * 400);
      if (memory.end !== null || memory.wakeAt !== null || memory.lease > time.now) continue;
      const epoch = ++memory.epoch;
      memory.lease = time.now + LEASE;
      const dead = new AbortController();
      let frozenUntil = 0;
      const alive = async () => {
        if (dead.signal.aborted) throw new Crash();
        if (frozenUntil > time.now) await time.after(frozenUntil - time.now);
      };
      // A sign of life now and then, unless the process is dead or frozen.
      void (async () => {
        while (!dead.signal.aborted && memory.end === null) {
          await time.after(100);
          const owns = memory.epoch === epoch && memory.wakeAt === null;
          if (frozenUntil <= time.now && !dead.signal.aborted && owns) memory.lease = time.now + LEASE;
        }
      })();
      const disk = async (write: () => void) => {
        await time.after(next() * 5);
        await alive();
        if (crashes < 12 && next() < 0.04) {
          crashes++;
          dead.abort();
          throw new Crash();
        }
        write();
        if (crashes < 12 && next() < 0.03) {
          // The commit took effect, its answer never came: the process died with it.
          crashes++;
          dead.abort();
          throw new Crash();
        }
        await time.after(next() * 5);
        await alive();
      };
      const provider: ModelProvider = {
        async call(_model, request, options) {
          await alive();
          const start = memory.started.get(options.attemptId!);
          asked.push({
            step: start?.stepPath ?? "?",
            recordedBefore: start !== undefined && memory.steps.has(start.stepPath),
            attempt: options.attemptId!,
          });
          if (next() < 0.05 && crashes < 12) {
            crashes++;
            frozenUntil = time.now + LEASE * 2;
          }
          const usage = { ...NO_USAGE, inputTokens: 10, outputTokens: 1 + Math.floor(next() * 10) };
          billed += tokensOf(usage);
          await time.after(next() * 40);
          await alive();
          if (next() < 0.1) throw new ModelCallError("provider-error", "simulated", { retryable: true, usage });
          const text = request.messages.map((message) => message.content.map((part) => ("text" in part ? part.text : "")).join("")).join();
          return {
            text: text.trim(),
            finishReason: "stop",
            usage,
            rawUsage: null,
            responseModel: null,
            responseId: null,
            timeToFirstTokenMs: null,
          };
        },
        async close() {},
      };
      const clock: EngineWorld["clock"] = {
        now: () => time.now,
        sleep: async (ms, signal) => {
          // A timeout that is no longer needed must not keep the history going.
          await Promise.race([time.after(ms), new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()))]);
          if (signal?.aborted) throw signal.reason;
          await alive();
        },
      };
      const world: EngineWorld = {
        clock,
        random: next,
        newAttemptId: () => `${epoch}-${asked.length}-${Math.floor(next() * 1e9)}`,
        emit() {},
        wantsText: () => false,
        validators,
        limits: createModelLimits({ clock }),
        http: { request: () => Promise.reject(new Error("no flow here has http steps")) },
      };
      const release: EngineRelease = {
        environment: "test",
        flows,
        model: (name) => resolveModel(bundle, "test", name),
        providers: { get: () => provider, typeOf: () => "simulator", baseUrlOf: () => undefined },
        vars: {},
        secret: () => undefined,
      };
      const attempts: { [path: string]: number } = {};
      for (const start of memory.started.values()) attempts[start.stepPath] = Math.max(attempts[start.stepPath] ?? 0, start.number);
      const input: Json = { ns: [4, 5, 6] };
      const run = {
        id: "run_1",
        flow,
        input,
        startedAtMs: 0,
        elapsedMs: 0,
        steps: [...memory.steps.values()],
        attempts,
        spent: { costNanoUsd: 0, tokens: 0 },
        spentBySteps: forgets ? {} : memory.spentBySteps(),
      };
      const bell: RunBell = {};
      ring = () => bell.onRing?.();
      const journal = new SimulatedJournal(memory, epoch, fence, disk, () => time.now);
      await executeRun(run, release, journal, world, new AbortController().signal, bell).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
      });
      dead.abort();
      memory.lease = Math.min(memory.lease, time.now + LEASE);
    }
  };

  const failures: unknown[] = [];
  void outside();
  for (const name of [1, 2, 3]) worker().catch((error) => failures.push([name, error]));
  const ended = await time.run(() => memory.end !== null || failures.length > 0);
  const repeated = [...memory.steps.values()].find((step) => step.times > 1);
  const sentAgain = asked.find((request) => request.recordedBefore);
  const unannounced = asked.find((request) => !memory.started.has(request.attempt));
  const problem =
    failures.length > 0
      ? `threw ${String((failures[0] as unknown[])[1])}`
      : !ended
        ? "did not end"
        : memory.ends !== 1
          ? `ended ${memory.ends} times`
          : repeated
            ? `recorded ${repeated.path} twice`
            : sentAgain
              ? `asked again for ${sentAgain.step}`
              : unannounced
                ? "sent a request that is not in the ledger"
                : flow === "waiting"
                  ? billed > TOKENS
                    ? `used ${billed} tokens`
                    : wrongEndOfWaiting(memory.end!)
                  : wrongEnd(memory.end!);
  return { problem, calls: asked.length, paid: memory.booked.size, succeeded: memory.end?.status === "succeeded" };
}

/** With every attempt failing in one of ten calls a run may fail, but then for that reason and no other. */
function wrongEnd(end: RunEnd): string {
  if (end.status === "failed" && end.error?.code === "provider-error") return "";
  if (end.status !== "succeeded") return `ended ${JSON.stringify(end)}`;
  const output = JSON.stringify(end.output);
  return /^\{"text":"two two two one 1(true|false)","each":\["one 4","one 5","one 6"\]\}$/.test(output) ? "" : `answered ${output}`;
}

/** Calls that were lost count, so that there may be nothing left for the last. */
function wrongEndOfWaiting(end: RunEnd): string {
  if (end.status === "failed" && ["provider-error", "limit-exceeded"].includes(end.error!.code)) return "";
  const output = JSON.stringify(end.output);
  return output === '["short 4","short 5","short 6"]' ? "" : `ended ${JSON.stringify(end)}`;
}

describe("the walker under seeded crashes, freezes and lost answers", () => {
  let project: { bundle: Bundle; flows: LoadedFlows };
  beforeAll(async () => {
    const bundle = await compileFiles(FILES);
    project = { bundle, flows: loadFlows(bundle.flows) };
  });

  it(`ends every run once and never asks again for a recorded step (${SEEDS} histories)`, { timeout: 120_000 }, async () => {
    const problems: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { problem } = await simulate(project, "main", seed);
      if (problem) problems.push(`seed ${seed}: ${problem}`);
    }
    expect(problems).toEqual([]);
  });

  it(`keeps limits through waits, signals and lost calls (${WAITING_SEEDS} histories)`, { timeout: 120_000 }, async () => {
    const problems: string[] = [];
    let whole = 0;
    for (let seed = 1; seed <= WAITING_SEEDS; seed++) {
      const { problem, succeeded } = await simulate(project, "waiting", seed);
      if (problem) problems.push(`seed ${seed}: ${problem}`);
      if (succeeded) whole++;
    }
    expect(problems).toEqual([]);
    expect(whole).toBeGreaterThan(WAITING_SEEDS / 2);
  });

  it("would notice limits that forget calls whose answer nobody saw", { timeout: 120_000 }, async () => {
    let noticed = 0;
    for (let seed = 1; seed <= 300; seed++) if ((await simulate(project, "waiting", seed, { forgets: true })).problem) noticed++;
    expect(noticed).toBeGreaterThan(0);
  });

  it("would notice a journal without a fence", { timeout: 120_000 }, async () => {
    let noticed = 0;
    for (let seed = 1; seed <= 300; seed++) if ((await simulate(project, "main", seed, { fence: false })).problem) noticed++;
    expect(noticed).toBeGreaterThan(0);
  });

  it("replays a seed exactly", async () => {
    for (const flow of ["main", "waiting"] as const) expect(await simulate(project, flow, 7)).toEqual(await simulate(project, flow, 7));
  });
});
