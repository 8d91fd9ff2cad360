import { type Diagnostic, durationMs, type Json, type JsonSchema, type PromptSource } from "@flow-run/spec";
import type { CompiledTask } from "../bundle.ts";
import { splitTarget } from "../compile-models.ts";
import { diagnosticAt, nameHint } from "../diagnostic-at.ts";
import { readSchemaNotation } from "../schema/index.ts";
import { checkConfig } from "./check-config.ts";
import { type InputDefaults, withDefaults } from "./input-defaults.ts";
import type { PromptPartials } from "./prompt-partials.ts";
import { toLf } from "./template-text.ts";

/** What a prompt may refer to. */
export interface TaskSurroundings {
  models: ReadonlySet<string>;
  providers: ReadonlySet<string>;
  partials: PromptPartials;
  defaults: InputDefaults;
}

/** A prompt → a task without its hash. Of a prompt with errors it is what can be made of it: others still know its input and output. */
export function compileTask(
  prompt: PromptSource,
  surroundings: TaskSurroundings,
): { task: Omit<CompiledTask, "hash">; diagnostics: Diagnostic[] } {
  const { name, source, value } = prompt;
  const diagnostics = [...checkModel(prompt, surroundings), ...checkConfig(prompt), ...checkOutput(prompt), ...checkTools(prompt)];
  const readSchema = (notation: Json | undefined, path: (string | number)[]): JsonSchema | undefined => {
    if (notation === undefined) return undefined;
    const { schema, problems } = readSchemaNotation(notation);
    for (const problem of problems) {
      diagnostics.push(diagnosticAt({ source, path: [...path, ...problem.path] }, "error", "bad-schema", problem.message, problem.hint));
    }
    return schema;
  };
  const declared = readSchema(value.input?.schema, ["input", "schema"]);
  const schema = readSchema(value.output?.schema, ["output", "schema"]);
  const checked = surroundings.partials.check(prompt, declared);
  const input = withDefaults(prompt, declared, surroundings.defaults);
  diagnostics.push(...checked.diagnostics, ...input.diagnostics);
  if (prompt.body.trim() === "") {
    const hint = "write the prompt's text below the front matter";
    diagnostics.push(
      diagnosticAt({ source, path: [] }, "warning", "empty-prompt", "the prompt has no text: a model would be asked nothing", hint),
    );
  }
  const isJson = schema !== undefined || value.output?.format === "json";
  const task: Omit<CompiledTask, "hash"> = {
    kind: "task",
    name,
    ...(value.description === undefined ? {} : { description: value.description }),
    file: source.file.path,
    ...(input.schema === undefined ? {} : { input: input.schema }),
    model: value.model ?? "default",
    config: value.config ?? {},
    ...(value.cache === undefined ? {} : { cacheMs: value.cache === false ? 0 : durationMs(value.cache) }),
    ...(value.input?.default === undefined ? {} : { defaults: value.input.default }),
    output: isJson ? { format: "json", ...(schema === undefined ? {} : { schema }) } : { format: "text" },
    template: toLf(prompt.body),
    partials: checked.partials,
  };
  return { task, diagnostics };
}

function checkModel({ source, value }: PromptSource, { models, providers }: TaskSurroundings): Diagnostic[] {
  const { model } = value;
  if (model === undefined) {
    if (models.has("default")) return [];
    const hint = "add to flow-run.yaml: models: { default: PROVIDER/MODEL }, or name a model here: model: NAME";
    return [
      diagnosticAt(
        { source, path: [] },
        "error",
        "unknown-model",
        'the prompt names no model, and there is no model called "default"',
        hint,
      ),
    ];
  }
  if (models.has(model)) return [];
  const at = { source, path: ["model"] };
  if (!model.includes("/")) {
    const hint = nameHint(model, models, `add it to flow-run.yaml: models: { ${model}: PROVIDER/MODEL }`);
    return [diagnosticAt(at, "error", "unknown-model", `there is no model "${model}"`, hint)];
  }
  const target = splitTarget(model);
  if (target.provider === "" || target.model === "") {
    return [diagnosticAt(at, "error", "unknown-model", `"${model}" is not a model`, "write PROVIDER/MODEL, for example openai/gpt-5-mini")];
  }
  if (providers.has(target.provider)) return [];
  const hint = nameHint(target.provider, providers, "add it to flow-run.yaml under providers, or write a name under models");
  return [diagnosticAt(at, "error", "unknown-provider", `there is no provider "${target.provider}"`, hint)];
}

function checkOutput({ source, value }: PromptSource): Diagnostic[] {
  if (value.output?.format !== "text" || value.output.schema === undefined) return [];
  const message = "output has a schema, so it is JSON and not text";
  return [
    diagnosticAt({ source, path: ["output", "format"] }, "error", "not-together", message, "write format: json, or leave the schema out"),
  ];
}

function checkTools({ source, value }: PromptSource): Diagnostic[] {
  const key = value.tools !== undefined && value.tools.length > 0 ? "tools" : value.toolDefs === undefined ? undefined : "toolDefs";
  if (key === undefined) return [];
  const message = "a model that is asked by this prompt is offered no tools: agents, which use them, are not supported yet";
  return [diagnosticAt({ source, path: [key], at: "key" }, "warning", "not-supported-yet", message)];
}
