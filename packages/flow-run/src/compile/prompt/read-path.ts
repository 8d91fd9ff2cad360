import { type Diagnostic, suggest } from "@flow-run/spec";
import type { InputShape } from "./named-shapes.ts";
import type { Scope } from "./scope.ts";
import { AnyShape, type Shape } from "./shape.ts";
import { isBlockParameter } from "./tag.ts";
import type { TemplateLocation } from "./template-text.ts";

const EACH_VARIABLES = ["index", "key", "first", "last"];

/** The shape of what a path reads. What cannot be there is reported, and then read as anything. */
export function readPath(path: hbs.AST.PathExpression, scope: Scope, input: InputShape, report: (diagnostic: Diagnostic) => void): Shape {
  if (path.data) return readData(path, scope, input, report);
  if (isBlockParameter(path, scope)) return readFields(scope.blockParameters.get(path.parts[0]!)!, path, 1, scope, report);
  const context = scope.contexts[path.depth];
  if (context !== undefined) return readFields(context, path, 0, scope, report);
  const message = `${"../".repeat(path.depth)} leads out of the ${scope.partialStack.length > 0 ? "partial" : "template"}`;
  const hint =
    path.parts.length > 0 ? `write ${["@root", ...path.parts].join(".")} for a variable of the input` : "write @root for the input";
  report(scope.template.diagnostic("error", "unknown-variable", path.loc, message, hint));
  return new AnyShape();
}

function readData(path: hbs.AST.PathExpression, scope: Scope, input: InputShape, report: (diagnostic: Diagnostic) => void): Shape {
  const [name] = path.parts;
  if (name === "root") return readFields(input, path, 1, scope, report);
  if (name !== undefined && EACH_VARIABLES.includes(name) && scope.eachDepth <= path.depth) {
    const message = `@${"../".repeat(path.depth)}${name} exists only inside ${path.depth === 0 ? "{{#each}}" : `${path.depth + 1} {{#each}}`}`;
    report(scope.template.diagnostic("error", "not-available-here", path.loc, message));
  }
  // Whoever renders the prompt may give further ones, such as @state and @auth.
  return new AnyShape(`@${name}`);
}

function readFields(
  from: Shape,
  path: hbs.AST.PathExpression,
  start: number,
  scope: Scope,
  report: (diagnostic: Diagnostic) => void,
): Shape {
  let shape = from;
  for (const [index, part] of path.parts.entries()) {
    if (index < start) continue;
    const next = shape.field(part);
    if (next === undefined) {
      report(unknownField(shape, part, path, index, scope));
      return new AnyShape(part);
    }
    shape = next;
  }
  return shape;
}

function unknownField(shape: Shape, part: string, path: hbs.AST.PathExpression, index: number, scope: Scope): Diagnostic {
  const location = partLocation(path, index, scope);
  const { prompt, template } = scope;
  const owner = prompt === null || prompt.file === template.file ? "the input" : `the input of the prompt "${prompt.name}"`;
  const kinds = [...(shape.kinds() ?? [])].filter((kind) => kind !== "null");
  const isPlain = kinds.length > 0 && !kinds.includes("object");
  const message = shape.isInput
    ? `${owner} has no variable "${part}"`
    : isPlain
      ? `${shape.label} is ${kinds.map((kind) => KIND_WORDS[kind]).join(" or ")} and has no field "${part}"`
      : `${shape.label} has no field "${part}"`;
  return scope.template.diagnostic(
    "error",
    shape.isInput ? "unknown-variable" : "unknown-field",
    location,
    message,
    fieldHint(shape, part, path, index, scope),
  );
}

const KIND_WORDS = { object: "an object", array: "a list", string: "text", number: "a number", boolean: "true or false", null: "null" };

function fieldHint(shape: Shape, part: string, path: hbs.AST.PathExpression, index: number, scope: Scope): string | undefined {
  const near = suggest(part, shape.fieldNames());
  if (near !== undefined) return `did you mean "${near}"?`;
  if (index === 0 && path.depth === 0) {
    const above = scope.contexts.findIndex((context, depth) => depth > 0 && context.fieldNames().includes(part));
    if (above > 0) return `here names mean fields of ${shape.label}: write ${"../".repeat(above)}${part}`;
    const parameter = suggest(part, scope.blockParameters.keys());
    if (parameter !== undefined) return `did you mean "${parameter}"?`;
  }
  const names = shape.fieldNames();
  if (names.length > 0 && names.length <= 10) return `its ${shape.isInput ? "variables" : "fields"} are: ${names.join(", ")}`;
  if (shape.isInput && shape.kinds()?.has("object") === false) return "the input is no object: write {{this}}";
  return shape.isInput ? "declare it under input: schema" : undefined;
}

/** Where one name of a path stands; the whole path where the two cannot be matched. */
function partLocation(path: hbs.AST.PathExpression, index: number, scope: Scope): TemplateLocation {
  const written = scope.template.slice(path.loc);
  let from = /^@?(\.\.?\/)*/.exec(written)![0].length;
  for (const [at, part] of path.parts.entries()) {
    const found = written.indexOf(part, from);
    if (found === -1) return path.loc;
    if (at === index) {
      const start = { line: path.loc.start.line, column: path.loc.start.column + found };
      return { start, end: { line: start.line, column: start.column + part.length } };
    }
    from = found + part.length;
  }
  return path.loc;
}
