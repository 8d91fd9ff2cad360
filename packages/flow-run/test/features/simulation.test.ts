import type { Json } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../src/compile/index.ts";
import { createValidators, resolveModel } from "../../src/compile/index.ts";
import type { EngineRelease, EngineWorld, LoadedFlows } from "../../src/engine/index.ts";
import { executeRun, loadFlows } from "../../src/engine/index.ts";
import type { ModelProvider } from "../../src/model/index.ts";
import { createModelLimits, ModelCallError } from "../../src/model/index.ts";
import type { AttemptEnd, AttemptStart, Journal, RunEnd, StepRecord } from "../../src/store/index.ts";
import { compileFiles } from "../support/compile-files.ts";

/**
 * The walker under a seeded clock, order and faults: workers that crash, freeze past their lease and come back, commits that fail before or after
 * they took effect, and a model that fails. One seed is one history; a failing seed replays exactly.
 */

const SEEDS = Number(process.env.FLOW_RUN_SEEDS ?? 2_000);

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
};

/** mulberry32 */
function random(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class Crash extends Error {}
class Fenced extends FlowRunError {
  constructor() {
    super("fenced", "fenced");
  }
}

/** Virtual time: the only thing that anything in a simulation waits for. */
class Timeline {
  now = 0;
  private readonly next: () => number;
  private readonly queue: { at: number; order: number; go: () => void }[] = [];
  constructor(next: () => number) {
    this.next = next;
  }
  after(ms: number): Promise<void> {
    return new Promise((go) => this.queue.push({ at: this.now + ms, order: this.next(), go }));
  }
  async run(done: () => boolean): Promise<boolean> {
    for (let steps = 0; steps < 20_000; steps++) {
      if (done()) return true;
      let best = 0;
      for (let i = 1; i < this.queue.length; i++) {
        const [a, b] = [this.queue[i]!, this.queue[best]!];
        if (a.at < b.at || (a.at === b.at && a.order < b.order)) best = i;
      }
      const [job] = this.queue.splice(best, 1);
      if (!job) return done();
      this.now = Math.max(this.now, job.at);
      job.go();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return false;
  }
}

/** What PostgreSQL does for the real journal, in a few lines: an epoch, a lease, records that appear all or nothing. */
class Memory {
  epoch = 0;
  lease = 0;
  end: RunEnd | null = null;
  ends = 0;
  steps = new Map<string, StepRecord & { times: number }>();
  started = new Map<string, AttemptStart>();
  booked = new Map<string, { end: AttemptEnd; times: number }>();
}

class SimulatedJournal implements Journal {
  private readonly memory: Memory;
  private readonly epoch: number;
  private readonly fence: boolean;
  private readonly disk: (write: () => void) => Promise<void>;
  private pending: (() => void)[] = [];
  private bills: (() => void)[] = [];
  private inFlight: Promise<void> = Promise.resolve();
  constructor(memory: Memory, epoch: number, fence: boolean, disk: (write: () => void) => Promise<void>) {
    this.memory = memory;
    this.epoch = epoch;
    this.fence = fence;
    this.disk = disk;
  }
  appendStep(step: StepRecord): number {
    this.pending.push(() => {
      const known = this.memory.steps.get(step.path);
      // The real table ignores a second record of the same owner; one of another owner would be a repetition.
      if (known) known.times += known.startedAtMs === step.startedAtMs ? 0 : 1;
      else this.memory.steps.set(step.path, { ...step, times: 1 });
    });
    return 0;
  }
  appendAttemptStart(start: AttemptStart): void {
    this.pending.push(() => this.memory.started.set(start.id, start));
  }
  appendAttemptEnd(end: AttemptEnd): void {
    this.bills.push(() => {
      if (!this.memory.booked.has(end.id)) this.memory.booked.set(end.id, { end, times: 1 });
    });
  }
  appendEnd(end: RunEnd): void {
    this.pending.push(() => {
      if (this.memory.end !== null) return;
      this.memory.end = end;
      this.memory.ends++;
    });
  }
  commit(): Promise<void> {
    const [writes, bills] = [this.pending.splice(0), this.bills.splice(0)];
    this.inFlight = this.inFlight.then(() =>
      this.disk(() => {
        for (const bill of bills) bill();
        const mine = this.memory.epoch === this.epoch && (this.memory.end === null || this.memory.ends === 0);
        if (this.fence && !mine) throw new Fenced();
        this.memory.lease = Math.max(this.memory.lease, 0);
        for (const write of writes) write();
      }),
    );
    return this.inFlight;
  }
}

interface Outcome {
  problem: string;
  calls: number;
  paid: number;
}

const validators = createValidators();

async function simulate(bundle: Bundle, flows: LoadedFlows, seed: number, fence: boolean): Promise<Outcome> {
  const next = random(seed);
  const time = new Timeline(next);
  const memory = new Memory();
  const LEASE = 500;
  const asked: { step: string; recordedBefore: boolean; attempt: string }[] = [];
  let crashes = 0;

  const worker = async () => {
    while (memory.end === null) {
      await time.after(20 + next() * 60);
      if (memory.end !== null || memory.lease > time.now) continue;
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
          if (frozenUntil <= time.now && !dead.signal.aborted && memory.epoch === epoch) memory.lease = time.now + LEASE;
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
          await time.after(next() * 40);
          await alive();
          if (next() < 0.1) throw new ModelCallError("provider-error", "simulated", { retryable: true });
          const text = request.messages.map((message) => message.content.map((part) => ("text" in part ? part.text : "")).join("")).join();
          const usage = { inputTokens: 10, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 1, reasoningTokens: 0 };
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
        flow: "main",
        input,
        startedAtMs: 0,
        elapsedMs: 0,
        steps: [...memory.steps.values()],
        attempts,
        spent: { costNanoUsd: 0, tokens: 0 },
      };
      await executeRun(run, release, new SimulatedJournal(memory, epoch, fence, disk), world, new AbortController().signal).catch(
        (error: unknown) => {
          if (!(error instanceof Crash)) throw error;
        },
      );
      dead.abort();
      memory.lease = Math.min(memory.lease, time.now + LEASE);
    }
  };

  const failures: unknown[] = [];
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
                : wrongEnd(memory.end!);
  return { problem, calls: asked.length, paid: memory.booked.size };
}

/** With every attempt failing in one of ten calls a run may fail, but then for that reason and no other. */
function wrongEnd(end: RunEnd): string {
  if (end.status === "failed" && end.error?.code === "provider-error") return "";
  if (end.status !== "succeeded") return `ended ${JSON.stringify(end)}`;
  const output = JSON.stringify(end.output);
  return /^\{"text":"two two two one 1(true|false)","each":\["one 4","one 5","one 6"\]\}$/.test(output) ? "" : `answered ${output}`;
}

describe("the walker under seeded crashes, freezes and lost answers", () => {
  let bundle: Bundle;
  let flows: LoadedFlows;
  beforeAll(async () => {
    bundle = await compileFiles(FILES);
    flows = loadFlows(bundle.flows);
  });

  it(`ends every run once and never asks again for a recorded step (${SEEDS} histories)`, { timeout: 120_000 }, async () => {
    const problems: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { problem } = await simulate(bundle, flows, seed, true);
      if (problem) problems.push(`seed ${seed}: ${problem}`);
    }
    expect(problems).toEqual([]);
  });

  it("would notice a journal without a fence", { timeout: 120_000 }, async () => {
    let noticed = 0;
    for (let seed = 1; seed <= 300; seed++) if ((await simulate(bundle, flows, seed, false)).problem) noticed++;
    expect(noticed).toBeGreaterThan(0);
  });

  it("replays a seed exactly", async () => {
    expect(await simulate(bundle, flows, 7, true)).toEqual(await simulate(bundle, flows, 7, true));
  });
});
