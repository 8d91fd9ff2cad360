import { checkField, checkIndex, checkName } from "./check-access.ts";
import { checkCall, checkMethod } from "./check-call.ts";
import { checkList, checkLiteral, checkMap } from "./check-literal.ts";
import { checkBinary, checkConditional, checkLogical, checkNegation, checkNot } from "./check-operator.ts";
import { type Checker, holdsTime } from "./checker.ts";
import { excerpt } from "./excerpt.ts";
import { parseExpression, type Tree } from "./parse.ts";
import type { Problem, Range } from "./problem.ts";
import type { Scope } from "./scope.ts";
import { anyType, type Type } from "./type.ts";
import { view } from "./type-view.ts";

export interface ExpressionCheck {
  /** `any` where the expression is wrong. */
  type: Type;
  /** All that is wrong, by place. */
  problems: Problem[];
  /** Absent when the source does not parse. */
  tree?: Tree;
  /** Names read as `vars.NAME` and `secrets.NAME`. */
  vars: string[];
  secrets: string[];
}

/** Types an expression where it stands and finds everything that is wrong with it. */
export function checkExpression(source: string, scope: Scope): ExpressionCheck {
  const parsed = parseExpression(source);
  if ("problem" in parsed) return { type: anyType, problems: [parsed.problem], vars: [], secrets: [] };
  const check = new Check(source);
  const type = check.check(parsed.tree, scope);
  const { base } = view(type);
  if (base.kind !== "timestamp" && base.kind !== "duration" && holdsTime(type)) {
    check.report("not-json", "There is a timestamp or duration inside, and JSON has none.", parsed.tree, "write string(…) around it");
  }
  return { type, problems: check.sorted(), tree: parsed.tree, vars: [...check.vars], secrets: [...check.secrets] };
}

class Check implements Checker {
  readonly source: string;
  readonly problems = new Map<string, Problem>();
  readonly vars = new Set<string>();
  readonly secrets = new Set<string>();

  constructor(source: string) {
    this.source = source;
  }

  check(tree: Tree, scope: Scope): Type {
    switch (tree.op) {
      case "value":
        return checkLiteral(tree, this);
      case "id":
        return checkName(tree, scope, this);
      case ".":
      case ".?":
        return checkField(tree, scope, this);
      case "[]":
      case "[?]":
        return checkIndex(tree, scope, this);
      case "list":
        return checkList(tree, scope, this);
      case "map":
        return checkMap(tree, scope, this);
      case "call":
        return checkCall(tree, scope, this);
      case "rcall":
        return checkMethod(tree, scope, this);
      case "?:":
        return checkConditional(tree, scope, this);
      case "&&":
      case "||":
        return checkLogical(tree, scope, this);
      case "!_":
        return checkNot(tree, scope, this);
      case "-_":
        return checkNegation(tree, scope, this);
      default:
        return checkBinary(tree, scope, this);
    }
  }

  report(code: string, message: string, { start, end }: Range, hint?: string): void {
    const key = `${code} ${start} ${end}`;
    // A node may be checked under several assumptions; it is reported once.
    if (!this.problems.has(key)) this.problems.set(key, { code, message, start, end, ...(hint === undefined ? {} : { hint }) });
  }

  quote({ start, end }: Range): string {
    return excerpt(this.source.slice(start, end));
  }

  collect(root: "vars" | "secrets", name: string): void {
    this[root].add(name);
  }

  sorted(): Problem[] {
    return [...this.problems.values()].sort((a, b) => a.start - b.start || a.end - b.end);
  }
}
