import type { Json, RunError } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { Validators } from "../compile/index.ts";
import type { HedgeSettings, LimitSettings, ModelLimits, Providers } from "../model/index.ts";
import type { GivenInput, Journal, ResponseCache, StepRecord } from "../store/index.ts";
import type { Budget, Spending } from "./budget.ts";
import type { Clock } from "./clock.ts";
import type { EngineEvent } from "./engine-event.ts";
import type { HttpCaller } from "./http-caller.ts";
import type { LoadedFlows } from "./loaded-release.ts";
import { RunSize } from "./run-size.ts";
import { spentWithin } from "./spent-within.ts";
import { Standstill } from "./standstill.ts";

/** A model under the name that prompts use, for one environment. */
export interface EngineModel {
  targets: { provider: string; model: string }[];
  timeoutMs: number;
  retries: number;
  limits: LimitSettings;
  hedge?: HedgeSettings;
  /** How long an answer may be given again. */
  cacheMs?: number;
  price?: { input: number; output: number; cacheRead?: number; cacheWrite?: number; reasoning?: number };
}

/** What a run is pinned to. */
export interface EngineRelease {
  environment: string;
  flows: LoadedFlows;
  /** Throws FlowRunError `unknown-model`. */
  model(name: string): EngineModel;
  /** `get` throws FlowRunError `missing-secret` or `unknown-provider`. */
  providers: Pick<Providers, "get" | "typeOf" | "baseUrlOf">;
  /** The limits of a provider as a whole. Default: none. */
  providerLimits?(name: string): LimitSettings | undefined;
  vars: { [name: string]: string };
  /** Where answers of models are kept that ask for it, and what tells providers apart there. Absent: nowhere. */
  cache?: { answers: ResponseCache; providerHash(name: string): string };
  /** The environment's secret of that name, for http steps. */
  secret(name: string): string | undefined;
}

/** What the engine needs of the world, the same for all runs of a process. */
export interface EngineWorld {
  clock: Clock;
  random(): number;
  newAttemptId(): string;
  emit(event: EngineEvent): void;
  /** Whether somebody reads this run's text while it is written; only then are answers streamed. */
  wantsText(runId: string): boolean;
  validators: Validators;
  limits: ModelLimits;
  http: HttpCaller;
}

/** The run as its owner knows it when execution begins. */
export interface RunToExecute {
  id: string;
  flow: string;
  input: Json;
  /** By the clock of the store, which may not be this machine's: good for telling it back, not for comparing with `clock.now()`. */
  startedAtMs: number;
  /** How long ago that was when this execution began. */
  elapsedMs: number;
  steps: readonly StepRecord[];
  /** How much JSON they take, more or less. Default: 0. */
  recordedSize?: number;
  attempts: { readonly [stepPath: string]: number };
  /** Of a replay with another input for one step. */
  givenInput?: GivenInput;
  /** What earlier executions of this run have booked; calls of unknown cost are missing from it. */
  spent: Spending;
  /** What they count for in limits, by step: calls of unknown cost with their estimates. Only of runs that have limits. */
  spentBySteps?: { readonly [stepPath: string]: Spending };
}

/** Where a flow stands in the journal: its own path, and what the paths of its inner steps begin with. */
export interface FlowPlace {
  path: string;
  prefix: string;
  /** What its calls are paid from; null where nothing limits them. */
  budget: Budget | null;
  /** How many flows are around it. */
  depth: number;
}

/** How long one run may keep the process to itself, unless it takes fewer steps than that. */
const LONGEST_BREATH_MS = 20;
const SOME_TURNS = 10;

/** Executes a flow by name within a run. */
export type CallFlow = (context: RunContext, flow: string, input: Json, place: FlowPlace, signal: AbortSignal) => Promise<Json>;

/** The state of one run while it is executed. Lives as long as the execution. */
export class RunContext {
  readonly run: RunToExecute;
  readonly release: EngineRelease;
  readonly journal: Journal;
  readonly world: EngineWorld;
  readonly standstill: Standstill;
  private readonly size: RunSize;
  private readonly recorded: Map<string, StepRecord>;
  private readonly attempts: Map<string, number>;
  private seq: number;
  private turns = 0;
  private breathedAtMs: number;
  private breath: Promise<void> | null = null;
  private spentWithin: ReadonlyMap<string, Spending> | undefined;

  private readonly callFlow: CallFlow;

  /** `callFlow` is passed in because flows call steps and steps call flows. */
  constructor(run: RunToExecute, release: EngineRelease, journal: Journal, world: EngineWorld, callFlow: CallFlow) {
    this.callFlow = callFlow;
    this.run = run;
    this.release = release;
    this.journal = journal;
    this.world = world;
    this.standstill = new Standstill(world.clock);
    this.size = new RunSize(run.steps.length, run.recordedSize ?? 0);
    this.breathedAtMs = world.clock.now();
    this.recorded = new Map(run.steps.map((step) => [step.path, step]));
    this.attempts = new Map(Object.entries(run.attempts));
    this.seq = run.steps.reduce((highest, step) => Math.max(highest, step.seq), 0);
  }

  call(flow: string, input: Json, place: FlowPlace, signal: AbortSignal): Promise<Json> {
    return this.callFlow(this, flow, input, place, signal);
  }

  /** What earlier executions of the run have spent below a place; the whole run for the empty prefix. */
  spentBefore(prefix: string): Spending {
    const { spent, spentBySteps = {} } = this.run;
    if (prefix !== "") {
      this.spentWithin ??= spentWithin(spentBySteps);
      return this.spentWithin.get(prefix) ?? { costNanoUsd: 0, tokens: 0 };
    }
    const counted = { costNanoUsd: 0, tokens: 0 };
    for (const { costNanoUsd, tokens } of Object.values(spentBySteps)) {
      counted.costNanoUsd += costNanoUsd;
      counted.tokens += tokens;
    }
    return { costNanoUsd: Math.max(spent.costNanoUsd, counted.costNanoUsd), tokens: Math.max(spent.tokens, counted.tokens) };
  }

  /** How long the run may take, waiting included; undefined: as long as it wants. */
  durationLimitMs(): number | undefined {
    const flow = this.release.flows.get(this.run.flow);
    return flow?.kind === "workflow" ? flow.workflow.limits.durationMs : undefined;
  }

  recordedStep(path: string): StepRecord | undefined {
    return this.recorded.get(path);
  }

  /** A step's input: what its expressions give, unless another was given for this run. */
  inputOf(path: string, evaluate: () => Json): Json {
    const { givenInput } = this.run;
    return givenInput?.path === path ? givenInput.input : evaluate();
  }

  nextAttemptNumber(path: string): number {
    const number = (this.attempts.get(path) ?? 0) + 1;
    this.attempts.set(path, number);
    return number;
  }

  /**
   * Queues a finished step for the journal; durable with the next commit. Throws FlowRunError `too-large` or `too-nested` for a value that no record
   * can hold: the step has failed then. Throws an `Interruption` when the run has grown beyond its bounds.
   */
  finishStep(step: Omit<StepRecord, "seq" | "finishedAtMs">): void {
    this.size.check(step.path);
    const record: StepRecord = { ...step, seq: this.seq + 1, finishedAtMs: this.world.clock.now() };
    const size = this.append(record);
    this.seq++;
    this.size.add(step.path, size);
    this.emit({
      type: "step-finished",
      path: record.path,
      kind: record.kind,
      status: record.status,
      seq: record.seq,
      error: record.error,
      durationMs: record.finishedAtMs - record.startedAtMs,
    });
  }

  /** A failure is recorded whatever its input was. */
  private append(record: StepRecord): number {
    try {
      return this.journal.appendStep(record);
    } catch (error) {
      if (record.status !== "failed") throw error;
      return this.journal.appendStep({ ...record, input: null });
    }
  }

  /**
   * To be awaited between steps: hands over what has been recorded when it is much, and lets the other runs of this process have their turn when this
   * one has worked for a while without waiting for anything. Null: there is no need.
   */
  breathe(): Promise<void> | null {
    if (this.breath !== null) return this.breath;
    const full = this.size.takeFull();
    if (!full && (++this.turns < SOME_TURNS || this.world.clock.now() - this.breathedAtMs < LONGEST_BREATH_MS)) return null;
    this.breath = this.standstill
      .during(() => (full ? this.journal.commit() : new Promise<void>((resolve) => setImmediate(resolve))))
      .finally(() => {
        this.breath = null;
        this.turns = 0;
        this.breathedAtMs = this.world.clock.now();
      });
    return this.breath;
  }

  emit(event: DistributiveOmit<EngineEvent, "runId" | "flow" | "atMs">): void {
    this.world.emit({ ...event, runId: this.run.id, flow: this.run.flow, atMs: this.world.clock.now() } as EngineEvent);
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A step's or a run's failure as plain data. */
export function toRunError(error: FlowRunError, step: string | null): RunError {
  return { code: error.code, message: error.message, step, retryable: error.retryable };
}

/** A failure that already names the step where it began, so that outer steps do not claim it. */
export class StepFailedError extends FlowRunError {
  readonly runError: RunError;

  constructor(runError: RunError, cause?: unknown) {
    super(runError.code, runError.message, { retryable: runError.retryable, cause });
    this.runError = runError;
  }
}
