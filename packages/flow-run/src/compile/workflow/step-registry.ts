import { assume } from "../expression/facts.ts";
import type { Tree } from "../expression/parse.ts";
import { applyGuards, type Guard, type Scope, scopeOf } from "../expression/scope.ts";
import { anyType, type Field, integerType, mapOf, type ObjectType, stringType, type Type, timestampType } from "../expression/type.ts";

/** A step that later steps can read. */
export interface FinishedStep {
  id: string;
  output: Type;
  /** When it has an `if`: the keys of its conditions and the output where they hold. */
  guard?: { conditions: readonly string[]; output: Type };
}

/** Where in a workflow an expression stands. */
export interface Standpoint {
  /** Conditions of this step and of the blocks around it that hold here. */
  assumed?: readonly Tree[];
  /** The step itself. */
  self?: string;
  /** Its own output, as a repeated step sees it. */
  ownOutput?: Type;
  /** Steps of the same parallel block. */
  siblings?: ReadonlySet<string>;
  forEach?: { as: string; element: Type };
  /** Why there is no `item` here, when the step has a forEach all the same. */
  itemReason?: string;
  /** Only within an http step. */
  secrets?: boolean;
}

const runType: ObjectType = {
  kind: "object",
  rest: "closed",
  fields: new Map<string, Field>([
    ["id", { type: stringType, optional: false }],
    ["flow", { type: stringType, optional: false }],
    ["environment", { type: stringType, optional: false }],
    ["startedAt", { type: timestampType, optional: false }],
  ]),
};
const varsType: ObjectType = { ...(mapOf(stringType) as ObjectType), collected: "vars" };
const secretsType: ObjectType = { ...(mapOf(stringType) as ObjectType), collected: "secrets" };

/** The steps of one workflow: which there are, which have finished so far, and what can be seen from where. */
export class StepRegistry {
  readonly input: Type;
  /** Line of each step, by id. */
  readonly lines: ReadonlyMap<string, number>;
  private readonly finished = new Map<string, FinishedStep>();
  /** Ids of parallel blocks: labels without an output. */
  readonly labels: ReadonlySet<string>;

  constructor(input: Type, lines: ReadonlyMap<string, number>, labels: ReadonlySet<string>) {
    this.input = input;
    this.lines = lines;
    this.labels = labels;
  }

  finish(step: FinishedStep): void {
    // Of two steps with one id the first counts; the second was reported.
    if (!this.finished.has(step.id)) this.finished.set(step.id, step);
  }

  /** `any` for a step that does not exist. */
  outputOf(id: string): Type {
    return this.finished.get(id)?.output ?? anyType;
  }

  scope(at: Standpoint): Scope {
    const variables = new Map<string, Field>();
    const add = (name: string, type: Type) => variables.set(name, { type, optional: false });
    add("input", this.input);
    add("steps", this.stepsType(at));
    add("run", runType);
    add("vars", varsType);
    const absent = new Map<string, string>();
    if (at.secrets) add("secrets", secretsType);
    else absent.set("secrets", '"secrets" can be read only in url, headers and body of an http step: everything else is recorded.');
    if (at.forEach) {
      add(at.forEach.as, at.forEach.element);
      add("index", integerType);
      if (at.forEach.as !== "item") absent.set("item", `The element is called "${at.forEach.as}" here.`);
    } else {
      const reason = at.itemReason ?? "exists only inside a step with forEach.";
      for (const name of ["item", "index"]) absent.set(name, `"${name}" ${reason}`);
    }
    const guards: Guard[] = [];
    for (const { id, guard } of this.finished.values()) {
      if (guard) guards.push({ path: ["steps", id, "output"], conditions: guard.conditions, type: guard.output });
    }
    const scope = scopeOf({ kind: "object", fields: variables, rest: "closed", absent, noun: "variable" }, guards);
    return (at.assumed ?? []).reduce((narrowed: Scope, tree) => assume(narrowed, tree), applyGuards(scope));
  }

  private stepsType(at: Standpoint): ObjectType {
    const fields = new Map<string, Field>();
    const add = (id: string, output: Type) => {
      const inner: ObjectType = { kind: "object", fields: new Map([["output", { type: output, optional: false }]]), rest: "closed" };
      fields.set(id, { type: inner, optional: false });
    };
    for (const { id, output } of this.finished.values()) add(id, output);
    if (at.self !== undefined && at.ownOutput !== undefined) add(at.self, at.ownOutput);
    const absent = new Map<string, string>();
    for (const [id, line] of this.lines) {
      if (fields.has(id)) continue;
      if (this.labels.has(id)) absent.set(id, `The parallel block "${id}" has no output of its own; read its steps.`);
      else if (id === at.self) absent.set(id, `A step cannot read its own output, unless it has repeat.`);
      else if (at.siblings?.has(id)) absent.set(id, `The step "${id}" runs at the same time as this one.`);
      else absent.set(id, `The step "${id}" comes later (line ${line}).`);
    }
    return { kind: "object", fields, rest: "closed", absent, noun: "step" };
  }
}
