import type { Json, JsonSchema } from "@flow-run/spec";

/** The language version that this compiler writes; a newer engine runs older bundles with their own semantics. */
export const LANGUAGE_VERSION = 1;

/** A place in the author's files. Line and column count from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** One `${{ … }}`: its CEL source and where the first character of the source stands. */
export interface CompiledExpression {
  source: string;
  at: Place;
  /** Where the file does not go on character by character (a new line, an escape): [offset in `source`, line, column]. */
  jumps?: [offset: number, line: number, column: number][];
}

/**
 * A YAML value in which text may hold expressions, split so that the engine need not look for `${{` again.
 * `expression` keeps its type; `parts` is printed into one text; entries of `list` and `map` that are missing are left out of a map.
 */
export type CompiledValue =
  | { literal: Json }
  | { expression: CompiledExpression }
  | { parts: (string | CompiledExpression)[] }
  | { list: CompiledValue[] }
  | { map: [key: string, value: CompiledValue][] };

/** How much may be asked; what is missing is not limited. */
export interface CompiledLimits {
  concurrency?: number;
  requestsPerMinute?: number;
  tokensPerMinute?: number;
}

/** A model under a name that prompts use: where requests go and under which conditions. */
export interface CompiledModel {
  /** Tried in order; the first is `use`, the others `fallback`. */
  targets: { provider: string; model: string }[];
  /** Per attempt. */
  timeoutMs: number;
  /** Further attempts at one target after the first. */
  retries: number;
  limits: CompiledLimits;
  /** A request without an answer after so long is sent again, up to `max` times; the first answer counts. */
  hedge?: { afterMs: number; max: number };
  /** How long an answer may be given again. Absent: never. */
  cacheMs?: number;
  /** US dollars per million tokens; overrides the price catalog. */
  price?: { input: number; output: number; cacheRead?: number; cacheWrite?: number; reasoning?: number };
}

/** A provider with its settings; text may hold `${{ secrets.NAME }}`, filled in only where the request is made. */
export interface CompiledProvider {
  type: string;
  settings: { [name: string]: Json };
  /** Names of the secrets that `settings` refers to. */
  secrets: string[];
  /** Of all its models together. */
  limits?: CompiledLimits;
}

interface CompiledFlowBase {
  name: string;
  description?: string;
  /** The author's file, from the project's root. */
  file: string;
  /** Absent: any input is accepted. */
  input?: JsonSchema;
  /**
   * SHA-256 (hex) of everything that can change what this flow does: callees, partials, schemas, models and their providers included;
   * description, schedule, prices, limits of rate and concurrency, and places in files left out.
   */
  hash: string;
}

/** A prompt, ready to render. */
export interface CompiledTask extends CompiledFlowBase {
  kind: "task";
  /** A name under `models`, or `provider/model` written out. */
  model: string;
  /** As in the front matter: temperature, maxOutputTokens, topP, topK, stopSequences, seed… */
  config: { [name: string]: Json };
  /** How long an answer may be given again, in place of what the model says; 0: never. */
  cacheMs?: number;
  /** Values for variables that the input does not give. */
  defaults?: { [variable: string]: Json };
  output: { format: "text" } | { format: "json"; schema?: JsonSchema };
  /** Handlebars source of the body. */
  template: string;
  /** Sources of all partials that the template reaches, by name without the leading underscore. */
  partials: { [name: string]: string };
}

export interface CompiledStepBase {
  id: string;
  at: Place;
  if?: CompiledValue;
  forEach?: { items: CompiledValue; as: string; concurrency: number };
  repeat?: { until: CompiledValue; max: number; exhausted: "last" | "fail" };
  timeoutMs?: number;
  retries: number;
  onError: "fail" | "continue" | { run: string; with: CompiledValue };
}

export interface CompiledRunStep extends CompiledStepBase {
  kind: "run";
  flow: string;
  with: CompiledValue;
}

export interface CompiledSetStep extends CompiledStepBase {
  kind: "set";
  set: CompiledValue;
}

export interface CompiledHttpStep extends CompiledStepBase {
  kind: "http";
  method: string;
  url: CompiledValue;
  headers?: CompiledValue;
  body?: CompiledValue;
  output?: JsonSchema;
}

export interface CompiledWaitStep extends CompiledStepBase {
  kind: "wait";
  signal?: { name: string; payload?: JsonSchema; timeoutMs?: number };
  forMs?: number;
}

export interface CompiledParallelStep {
  kind: "parallel";
  at: Place;
  if?: CompiledValue;
  steps: CompiledStep[];
}

export type CompiledStep = CompiledRunStep | CompiledSetStep | CompiledHttpStep | CompiledWaitStep | CompiledParallelStep;

/** When runs of a workflow are started by themselves. */
export interface CompiledSchedule {
  /** Readable by `findTicks`, together with the zone. */
  cron: string;
  timezone: string;
  /** Fits the workflow's input schema, defaults filled in. */
  input: Json;
}

export interface CompiledWorkflow extends CompiledFlowBase {
  kind: "workflow";
  steps: CompiledStep[];
  /** Absent: the output of the last step. */
  output?: CompiledValue;
  /** JSON Schema of the output as far as the types tell. */
  outputSchema: JsonSchema;
  limits: { costNanoUsd?: number; durationMs?: number; tokens?: number };
  schedule?: CompiledSchedule;
  /** Runs under way at once. Absent: any number. */
  concurrency?: number;
}

export type CompiledFlow = CompiledTask | CompiledWorkflow;

/** What an environment has of its own. */
export interface CompiledEnvironment {
  /** Runs under way at once: of all flows together, and of single ones, which comes before `concurrency` of the flow. */
  limits?: { concurrency?: number; flows: { [flow: string]: number } };
  /** How long after their end things are kept; what is absent is kept for good. */
  retention?: { runsMs?: number; contentsMs?: number; deliveriesMs?: number };
  models: { [name: string]: CompiledModel };
  /** Read by expressions as `vars.NAME`. */
  vars: { [name: string]: string };
}

/** Everything a release freezes: inert data, complete without the project's files, without a single secret. */
export interface Bundle {
  languageVersion: typeof LANGUAGE_VERSION;
  project: string;
  flows: { [name: string]: CompiledFlow };
  providers: { [name: string]: CompiledProvider };
  models: { [name: string]: CompiledModel };
  /** Per environment: what differs from the above. */
  environments: { [name: string]: CompiledEnvironment };
  /** SHA-256 (hex) over all other fields, places in files left out; see `hashBundle`. */
  hash: string;
}
