import { applyFunction } from "./apply-function.ts";
import { compileComprehension, isComprehension } from "./compile-comprehension.ts";
import { isObject, type Run } from "./evaluation.ts";
import { isFunction, isMethod } from "./functions.ts";
import type { Tree } from "./parse.ts";
import { compilePattern } from "./pattern.ts";
import type { Surroundings } from "./surroundings.ts";
import { isChain, nameRange } from "./tree-shape.ts";
import { kindOf } from "./value-kind.ts";

export function compileCall(tree: Extract<Tree, { op: "call" }>, around: Surroundings): Run {
  const [name, args] = tree.args;
  if (name === "has") return compileHas(args, around, tree);
  const runs = args.map((argument) => around.compile(argument));
  if (name === "coalesce") {
    return (frame) => {
      for (const run of runs) {
        const value = run(frame);
        if (value !== null && value !== undefined) return value;
      }
      return null;
    };
  }
  if (!isFunction(name, args.length)) return around.site(nameRange(tree)).fail("bad-expression", `There is no function "${name}".`);
  const call = { site: around.site(tree), argumentSites: args.map((argument) => around.site(argument)) };
  return (frame) =>
    applyFunction(
      name,
      call,
      runs.map((run) => run(frame)),
      frame,
    );
}

export function compileMethod(tree: Extract<Tree, { op: "rcall" }>, around: Surroundings): Run {
  const [name, receiver, args] = tree.args;
  if (receiver.op === "id" && receiver.args === "cel" && name === "bind") return compileBind(args, around, tree);
  if (isComprehension(name, args)) return compileComprehension(name, receiver, args, around);
  const base = around.compile(receiver);
  if (name === "hasValue" && args.length === 0) return (frame) => base(frame) !== undefined;
  if (name === "orValue" && args.length === 1) {
    const otherwise = around.compile(args[0]!);
    return (frame) => {
      const value = base(frame);
      return value === undefined ? otherwise(frame) : value;
    };
  }
  if (!isMethod(name, args.length)) return around.site(nameRange(tree)).fail("bad-expression", `There is no method "${name}".`);
  const call = { site: around.site(tree), argumentSites: [receiver, ...args].map((argument) => around.site(argument)) };
  if (name === "matches" && args[0]!.op === "value" && typeof args[0]!.args === "string") {
    const pattern = compilePattern(args[0]!.args);
    if ("problem" in pattern) return around.site(args[0]!).fail("bad-expression", pattern.problem);
    return (frame) => applyFunction("matches", call, [base(frame), pattern.pattern], frame);
  }
  const runs = [base, ...args.map((argument) => around.compile(argument))];
  return (frame) =>
    applyFunction(
      name,
      call,
      runs.map((run) => run(frame)),
      frame,
    );
}

/** `has(a.f)`: whether the field is there, null or not. */
function compileHas(args: readonly Tree[], around: Surroundings, tree: Tree): Run {
  const [path] = args;
  if (args.length !== 1 || (path!.op !== "." && path!.op !== ".?")) {
    return around.site(tree).fail("bad-expression", "has() needs one field, for example has(input.tone).");
  }
  const [base, field] = path!.args as [Tree, string];
  const run = around.compile(base);
  const site = around.site(base);
  const tolerant = path!.op === ".?" || isChain(base);
  return (frame) => {
    const value = run(frame);
    if (isObject(value)) return Object.hasOwn(value, field);
    if (value === undefined || (value === null && tolerant)) return false;
    if (value === null) return site.fail("null-access", `This is null, so it has no field "${field}".`);
    return site.fail("no-such-field", `This is ${kindOf(value)}, which has no field "${field}".`);
  };
}

/** `cel.bind(name, value, expression)`. */
function compileBind(args: readonly Tree[], around: Surroundings, tree: Tree): Run {
  const [name, value, body] = args;
  if (args.length !== 3 || name!.op !== "id") {
    return around.site(tree).fail("bad-expression", "Write cel.bind(name, value, expression).");
  }
  const slot = around.locals.length;
  const run = around.compile(value!);
  const inner = around.compile(body!, [...around.locals, name!.args]);
  return (frame) => {
    frame.locals[slot] = run(frame);
    return inner(frame);
  };
}
