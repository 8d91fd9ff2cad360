import {
  type Definition,
  type Diagnostic,
  type Json,
  type JsonSchema,
  sortDiagnostics,
  suggest,
  type WorkflowDefinition,
} from "@flow-run/spec";
import type { Node } from "yaml";
import type { CompiledWorkflow } from "../bundle.ts";
import { schemaType } from "../expression/schema-type.ts";
import { anyType } from "../expression/type.ts";
import { createValidators, SchemaNotationError, type Validators } from "../schema/index.ts";
import { type CompiledWorkflowResult, compileWorkflow } from "./compile-workflow.ts";
import type { FlowSignature } from "./flow-signature.ts";
import { SourceReport } from "./source-report.ts";
import type { FlowTypes, WorkflowContext } from "./workflow-context.ts";

export interface WorkflowsToCompile {
  /** Each valid by `workflowSchema`. */
  workflows: readonly Definition<WorkflowDefinition>[];
  /** The flows that are no workflows, by name. */
  flows: ReadonlyMap<string, FlowSignature>;
  /** Picoschema or JSON Schema → JSON Schema. May throw `SchemaNotationError`. */
  toJsonSchema: (notation: Json) => JsonSchema;
}

export interface CompiledWorkflows {
  /** By name, in the order given; to be used only when there are no errors. */
  workflows: Map<string, Omit<CompiledWorkflow, "hash">>;
  /** By file and place. */
  diagnostics: Diagnostic[];
  /** Names read as `vars.NAME`, sorted. */
  variables: string[];
  /** Names read as `secrets.NAME`, sorted. */
  secrets: string[];
}

/** Compiles all workflows of a project: callees first whatever the order of files, every expression checked, every mistake reported at once. */
export function compileWorkflows(options: WorkflowsToCompile): CompiledWorkflows {
  return new Compilation(options).run();
}

class Compilation {
  readonly options: WorkflowsToCompile;
  readonly definitions: ReadonlyMap<string, Definition<WorkflowDefinition>>;
  readonly results = new Map<string, CompiledWorkflowResult>();
  readonly types = new Map<string, FlowTypes>();
  readonly reports: SourceReport[] = [];
  readonly variables = new Set<string>();
  readonly secrets = new Set<string>();
  validators: Validators | undefined;
  /** Names of the workflows under way, the outermost first. */
  readonly path: string[] = [];

  constructor(options: WorkflowsToCompile) {
    this.options = options;
    this.definitions = new Map(options.workflows.map((definition) => [definition.name, definition]));
  }

  run(): CompiledWorkflows {
    const { workflows } = this.options;
    return {
      workflows: new Map(workflows.map(({ name }) => [name, this.compile(name).workflow])),
      diagnostics: sortDiagnostics(this.reports.flatMap((report) => report.diagnostics)),
      variables: [...this.variables].sort(),
      secrets: [...this.secrets].sort(),
    };
  }

  compile(name: string): CompiledWorkflowResult {
    const known = this.results.get(name);
    if (known) return known;
    const definition = this.definitions.get(name)!;
    const report = new SourceReport(definition.source);
    this.reports.push(report);
    this.path.push(name);
    const result = compileWorkflow(definition, this.context(report));
    this.path.pop();
    this.results.set(name, result);
    return result;
  }

  context(report: SourceReport): WorkflowContext {
    return {
      report,
      flow: (name, at) => this.flow(name, at, report),
      schema: (notation) => this.schema(notation, report),
      validate: (schema, value) => {
        this.validators ??= createValidators();
        return this.validators.validate(schema, value, { defaults: true });
      },
      collect: (vars, secrets) => {
        for (const name of vars) this.variables.add(name);
        for (const name of secrets) this.secrets.add(name);
      },
    };
  }

  flow(name: string, at: Node, report: SourceReport): FlowTypes {
    const known = this.types.get(name);
    if (known) return known;
    const signature = this.options.flows.get(name);
    if (signature) {
      const types = {
        input: signature.input === undefined ? anyType : schemaType(signature.input, "write"),
        output: schemaType(signature.output, "read"),
      };
      this.types.set(name, types);
      return types;
    }
    if (!this.definitions.has(name)) {
      const nearest = suggest(name, [...this.options.flows.keys(), ...this.definitions.keys()]);
      report.report("unknown-flow", `There is no flow "${name}".`, at, nearest === undefined ? undefined : `did you mean "${nearest}"?`);
      return { input: anyType, output: anyType };
    }
    const start = this.path.indexOf(name);
    if (start !== -1) {
      const circle = [...this.path.slice(start), name].join(" → ");
      report.report(
        "cycle",
        `Workflows call each other in a circle: ${circle}.`,
        at,
        "a workflow cannot call itself; use repeat or forEach",
      );
      return { input: this.inputOf(name), output: anyType };
    }
    const types = { input: this.inputOf(name), output: this.compile(name).output };
    this.types.set(name, types);
    return types;
  }

  inputOf(name: string) {
    const notation = this.definitions.get(name)!.value.input;
    if (notation === undefined) return anyType;
    try {
      return schemaType(this.options.toJsonSchema(notation), "write");
    } catch (error) {
      // Reported where the schema is written.
      if (error instanceof SchemaNotationError) return anyType;
      throw error;
    }
  }

  schema(notation: Node, report: SourceReport): JsonSchema {
    const { document } = report.source;
    try {
      return this.options.toJsonSchema(notation.toJS(document) as Json);
    } catch (error) {
      if (!(error instanceof SchemaNotationError)) throw error;
      for (const problem of error.problems) {
        report.report("bad-schema", problem.message, report.nodeAt(notation, problem.path), problem.hint);
      }
      return true;
    }
  }
}
