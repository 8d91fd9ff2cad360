import { suggest } from "@flow-run/spec";
import type { CompiledExpression } from "../bundle.ts";
import { compileCall, compileMethod } from "./compile-call.ts";
import { compileAnd, compileBinary, compileConditional, compileNegation, compileNot, compileOr } from "./compile-operator.ts";
import { isObject, type Run, Site } from "./evaluation.ts";
import { excerpt } from "./excerpt.ts";
import { parseExpression, type Tree } from "./parse.ts";
import type { Surroundings } from "./surroundings.ts";
import { isChain } from "./tree-shape.ts";
import { kindOf } from "./value-kind.ts";

/** Source to closures. No types are needed; throws `ExpressionError` with code `bad-expression` for a source that does not parse. */
export function compileExpression(expression: CompiledExpression): Run {
  const parsed = parseExpression(expression.source);
  if ("problem" in parsed) return new Site(expression, parsed.problem).fail("bad-expression", parsed.problem.message);
  const own = surroundingsWith(expression, []);
  return compileNode(parsed.tree, own);
}

function surroundingsWith(expression: CompiledExpression, locals: readonly string[]): Surroundings {
  const own: Surroundings = {
    expression,
    locals,
    compile: (tree, inner) => compileNode(tree, inner === undefined ? own : surroundingsWith(expression, inner)),
    site: (range) => new Site(expression, range),
  };
  return own;
}

function compileNode(tree: Tree, around: Surroundings): Run {
  const compile = (child: Tree): Run => compileNode(child, around);
  switch (tree.op) {
    case "value":
      return compileLiteral(tree.args, around.site(tree));
    case "id":
      return compileName(tree.args, around, tree);
    case ".":
      return compileField(compile(tree.args[0]), tree.args[1], isChain(tree.args[0]), around.site(tree.args[0]), fieldSite(tree, around));
    case ".?":
      return compileField(compile(tree.args[0]), tree.args[1], true, around.site(tree.args[0]), fieldSite(tree, around));
    case "[]":
    case "[?]": {
      const [base, index] = tree.args;
      const tolerant = tree.op === "[?]" || isChain(base);
      return compileIndex(compile(base), compile(index), tolerant, around.site(base), around.site(index));
    }
    case "list":
      return compileList(tree.args.map(compile));
    case "map":
      return compileMap(
        tree.args.map(([key, value]) => [compile(key), compile(value), around.site(key)]),
        around.site(tree),
      );
    case "call":
      return compileCall(tree, around);
    case "rcall":
      return compileMethod(tree, around);
    case "&&":
      return compileAnd(compile(tree.args[0]), compile(tree.args[1]), around.site(tree.args[0]), around.site(tree.args[1]));
    case "||":
      return compileOr(compile(tree.args[0]), compile(tree.args[1]), around.site(tree.args[0]), around.site(tree.args[1]));
    case "?:":
      return compileConditional(compile(tree.args[0]), compile(tree.args[1]), compile(tree.args[2]), around.site(tree.args[0]));
    case "!_":
      return compileNot(compile(tree.args), around.site(tree.args));
    case "-_":
      return compileNegation(compile(tree.args), around.site(tree.args));
    default:
      return compileBinary(tree.op, compile(tree.args[0]), compile(tree.args[1]), tree, around);
  }
}

function fieldSite(tree: Extract<Tree, { op: "." | ".?" }>, around: Surroundings): Site {
  return around.site({ start: tree.pos, end: tree.end });
}

function compileLiteral(value: unknown, site: Site): Run {
  if (typeof value === "bigint") {
    const number = Number(value);
    return () => number;
  }
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number") return () => value;
  return site.fail("bad-expression", "Only text, numbers, true, false and null can be written out.");
}

function compileName(name: string, around: Surroundings, tree: Tree): Run {
  const slot = around.locals.lastIndexOf(name);
  if (slot !== -1) return (frame) => frame.locals[slot];
  const site = around.site(tree);
  return (frame) => (Object.hasOwn(frame.scope, name) ? frame.scope[name] : site.fail("no-such-field", `There is no "${name}" here.`));
}

function compileField(base: Run, field: string, tolerant: boolean, baseSite: Site, site: Site): Run {
  return (frame) => {
    const value = base(frame);
    if (isObject(value)) {
      if (Object.hasOwn(value, field)) return value[field];
      return tolerant ? undefined : missingField(value, field, site);
    }
    if (value === undefined || (value === null && tolerant)) return undefined;
    if (value === null) return baseSite.fail("null-access", `${sourceOf(baseSite)} is null, so it has no field "${field}".`);
    return site.fail("no-such-field", `${sourceOf(baseSite)} is ${kindOf(value)}, which has no field "${field}".`);
  };
}

function compileIndex(base: Run, index: Run, tolerant: boolean, baseSite: Site, site: Site): Run {
  return (frame) => {
    const value = base(frame);
    const at = index(frame);
    if (value === undefined || (value === null && tolerant)) return undefined;
    if (value === null) return baseSite.fail("null-access", `${sourceOf(baseSite)} is null.`);
    if (Array.isArray(value)) {
      if (!Number.isInteger(at)) return site.fail("bad-value", `A list is read with a whole number, not with ${kindOf(at)}.`);
      if ((at as number) >= 0 && (at as number) < value.length) return value[at as number];
      return tolerant ? undefined : site.fail("index-out-of-range", `The list has ${value.length} elements; there is no [${at}].`);
    }
    if (isObject(value)) {
      if (typeof at !== "string") return site.fail("bad-value", `An object is read with a string, not with ${kindOf(at)}.`);
      if (Object.hasOwn(value, at)) return value[at];
      return tolerant ? undefined : missingField(value, at, site);
    }
    return baseSite.fail("bad-value", `${sourceOf(baseSite)} is ${kindOf(value)}, which has no elements.`);
  };
}

function missingField(value: { [key: string]: unknown }, field: string, site: Site): never {
  const nearest = suggest(field, Object.keys(value).slice(0, 100));
  const hint = nearest === undefined ? "write .? or has() where it may be missing" : `did you mean "${nearest}"?`;
  return site.fail("no-such-field", `There is no field "${field.slice(0, 100)}": ${hint}`);
}

function sourceOf(site: Site): string {
  return excerpt(site.expression.source.slice(site.start, site.end));
}

function compileList(elements: Run[]): Run {
  return (frame) => elements.map((element) => element(frame) ?? null);
}

function compileMap(entries: [key: Run, value: Run, keySite: Site][], site: Site): Run {
  return (frame) => {
    site.spend(frame, entries.length);
    const made: [string, unknown][] = [];
    for (const [key, value, keySite] of entries) {
      const name = key(frame);
      if (typeof name !== "string") return keySite.fail("bad-value", `A key is a string, not ${kindOf(name)}.`);
      made.push([name, value(frame) ?? null]);
    }
    // Not by assignment: "__proto__" must become a key like any other.
    return Object.fromEntries(made);
  };
}
