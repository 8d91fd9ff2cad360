import { type Diagnostic, suggest } from "@flow-run/spec";
import { type HelperSignature, KNOWN_HELPERS } from "./known-helpers.ts";
import { PROMPT_ROLES } from "./prompt-message.ts";
import type { Scope } from "./scope.ts";
import type { Shape } from "./shape.ts";
import { type Call, isLiteral } from "./tag.ts";

type Report = (diagnostic: Diagnostic) => void;

/** Checks name and number of arguments. Gives what remains to be checked once the arguments' shapes are known; undefined when nothing does. */
export function checkHelperCall(
  call: Call,
  use: "inline" | "block",
  scope: Scope,
  report: Report,
): ((shapes: Shape[]) => void) | undefined {
  const name = call.path.original;
  const signature = KNOWN_HELPERS.get(name);
  if (signature === undefined) {
    report(unknownHelper(call, use, scope));
    return (shapes) => {
      for (const shape of shapes) shape.readWhole();
    };
  }
  const mistake = argumentMistake(call, use, signature, scope);
  if (mistake !== undefined) {
    report(mistake);
    return undefined;
  }
  return (shapes) => checkArguments(name, call, shapes, scope, report);
}

function unknownHelper({ path, params, pairs }: Call, use: "inline" | "block", scope: Scope): Diagnostic {
  const name = path.original;
  const near = suggest(name, KNOWN_HELPERS.keys()) ?? OTHER_NAMES[name];
  const known = `the helpers are: ${[...KNOWN_HELPERS.keys()].join(", ")}`;
  const plain = params.length + pairs.length === 1 && use === "inline" ? `a variable is written alone, {{${name}}}; ${known}` : known;
  const hint = near === undefined ? plain : `did you mean ${KNOWN_HELPERS.get(near)!.example}?`;
  return scope.template.diagnostic("error", "unknown-helper", path.loc, `there is no helper "${name}"`, hint);
}

const OTHER_NAMES: { readonly [name: string]: string } = {
  eq: "ifEquals",
  equals: "ifEquals",
  is: "ifEquals",
  ne: "unlessEquals",
  toJson: "json",
  stringify: "json",
  image: "media",
  for: "each",
  foreach: "each",
  system: "role",
};

function argumentMistake(call: Call, use: "inline" | "block", signature: HelperSignature, scope: Scope): Diagnostic | undefined {
  const name = call.path.original;
  const at = (loc: hbs.AST.SourceLocation, message: string, hint = `write ${signature.example}`) =>
    scope.template.diagnostic("error", "wrong-arguments", loc, message, hint);
  const count = call.params.length;
  if (use !== signature.use) {
    const message = use === "block" ? `"${name}" is not a block` : `"${name}" is a block`;
    const isVariable = count === 0 && call.pairs.length === 0 && scope.contexts[0]!.fieldNames().includes(name);
    return at(call.path.loc, message, isVariable ? `for the variable write {{this.${name}}}` : undefined);
  }
  if (count < signature.min || count > signature.max) {
    const isVariable = count === 0 && scope.contexts[0]!.fieldNames().includes(name);
    const needs =
      signature.max === 0 ? "takes no arguments" : `needs ${signature.min} ${signature.min === 1 ? "argument" : "arguments"}, not ${count}`;
    return at(call.path.loc, `the helper "${name}" ${needs}`, isVariable ? `for the variable write {{this.${name}}}` : undefined);
  }
  for (const pair of call.pairs) {
    if (signature.named.includes(pair.key)) continue;
    const near = suggest(pair.key, signature.named);
    return at(pair.loc, `the helper "${name}" has no argument "${pair.key}"`, near === undefined ? undefined : `did you mean "${near}"?`);
  }
  if (name === "media" && !call.pairs.some(({ key }) => key === "url")) return at(call.path.loc, 'the helper "media" needs a url');
  return undefined;
}

/** Helpers that look at a value without letting it out. */
const LOOKING = ["if", "unless", "with", "each", "log"];

function checkArguments(name: string, call: Call, shapes: Shape[], scope: Scope, report: Report): void {
  if (!LOOKING.includes(name) && !(name === "lookup" && isLiteral(call.params[1]!))) for (const shape of shapes) shape.readWhole();
  if (name === "role") checkRole(call.params[0]!, scope, report);
  if (name === "each") checkEach(call.params[0]!, shapes[0]!, scope, report);
  if (name === "lookup") checkLookup(call.params[1]!, shapes[0]!, scope, report);
  if (name === "ifEquals" || name === "unlessEquals") checkEqual(call.params, shapes, scope, report);
}

function checkRole(node: hbs.AST.Expression, scope: Scope, report: Report): void {
  if (!isLiteral(node)) return;
  const { value } = node as hbs.AST.StringLiteral;
  if (PROMPT_ROLES.some((role) => role === value)) return;
  const near = value === "assistant" || value === "ai" ? "model" : suggest(String(value), PROMPT_ROLES);
  const hint = near === undefined ? `the roles are: ${PROMPT_ROLES.join(", ")}` : `did you mean "${near}"?`;
  report(scope.template.diagnostic("error", "unknown-role", node.loc, `there is no role ${JSON.stringify(value ?? null)}`, hint));
}

function checkEach(node: hbs.AST.Expression, shape: Shape, scope: Scope, report: Report): void {
  const kinds = shape.kinds();
  if (kinds === null || kinds.has("array") || kinds.has("object")) return;
  const message = `${shape.label} is neither a list nor an object, so {{#each}} never renders its block`;
  report(scope.template.diagnostic("error", "type-mismatch", node.loc, message, "for one value write {{#if …}} or {{#with …}}"));
}

function checkLookup(key: hbs.AST.Expression, shape: Shape, scope: Scope, report: Report): void {
  if (!isLiteral(key)) return;
  const name = String((key as hbs.AST.StringLiteral).value);
  if (shape.field(name) !== undefined) return;
  const near = suggest(name, shape.fieldNames());
  const code = shape.isInput ? "unknown-variable" : "unknown-field";
  const message = `${shape.label} has no ${shape.isInput ? "variable" : "field"} "${name}"`;
  report(scope.template.diagnostic("error", code, key.loc, message, near === undefined ? undefined : `did you mean "${near}"?`));
}

/** Two sides of which all values are known, and none is on both. */
function checkEqual(nodes: hbs.AST.Expression[], shapes: Shape[], scope: Scope, report: Report): void {
  const at = nodes.findIndex(isLiteral);
  if (at === -1 || nodes.every(isLiteral)) return;
  const [literal] = shapes[at]!.values() ?? [];
  if (literal === undefined) return;
  const other = shapes[1 - at]!;
  const values = other.values();
  const kinds = other.kinds();
  const kind = literal === null ? "null" : (typeof literal as "string");
  if (values !== null ? values.includes(literal) : kinds === null || kinds.has(kind)) return;
  const near = values === null ? undefined : suggest(String(literal), values.map(String));
  const all = values === null ? undefined : `its values are: ${values.map((value) => JSON.stringify(value)).join(", ")}`;
  const hint = near === undefined ? all : `did you mean ${JSON.stringify(near)}?`;
  report(scope.template.diagnostic("error", "never-equal", nodes[at]!.loc, `${other.label} is never ${JSON.stringify(literal)}`, hint));
}
