import { KNOWN_HELPERS } from "./known-helpers.ts";
import type { Scope } from "./scope.ts";

/** A tag or a subexpression: what it names, and what stands behind the name. */
export interface Call {
  path: hbs.AST.PathExpression;
  params: hbs.AST.Expression[];
  pairs: hbs.AST.HashPair[];
  loc: hbs.AST.SourceLocation;
}

type CallNode = hbs.AST.MustacheStatement | hbs.AST.BlockStatement | hbs.AST.SubExpression;

export function callOf(node: CallNode): Call {
  return { path: asPath(node.path), params: node.params, pairs: node.hash?.pairs ?? [], loc: node.loc };
}

/** `{{"a name"}}` and `{{12}}` read variables of those names. */
export function asPath(node: hbs.AST.Expression): hbs.AST.PathExpression {
  if (node.type === "PathExpression") return node as hbs.AST.PathExpression;
  const original = String((node as hbs.AST.StringLiteral).original ?? (node.type === "NullLiteral" ? "null" : "undefined"));
  return { type: "PathExpression", data: false, depth: 0, parts: [original], original, loc: node.loc } as hbs.AST.PathExpression;
}

/** `this.x` and `./x` never mean a helper or a block parameter. */
export function isScoped(path: hbs.AST.PathExpression): boolean {
  return /^\.|this\b/.test(path.original);
}

export function isBlockParameter(path: hbs.AST.PathExpression, scope: Scope): boolean {
  return !path.data && path.depth === 0 && !isScoped(path) && path.parts[0] !== undefined && scope.blockParameters.has(path.parts[0]);
}

/** Handlebars' own rule: a simple name is a helper when there is one, whatever variables there are; anything with arguments must be one. */
export function isHelperCall({ path, params, pairs }: Call, scope: Scope): boolean {
  if (isBlockParameter(path, scope)) return false;
  if (params.length > 0 || pairs.length > 0) return true;
  const isSimple = path.parts.length === 1 && !path.data && path.depth === 0 && !isScoped(path);
  return isSimple && KNOWN_HELPERS.has(path.parts[0]!);
}

export function isLiteral(node: hbs.AST.Expression): boolean {
  return node.type.endsWith("Literal");
}

/** `this`, `.`: the context itself. */
export function isContextItself(node: hbs.AST.Expression): boolean {
  const path = node as hbs.AST.PathExpression;
  return node.type === "PathExpression" && path.parts.length === 0 && path.depth === 0 && !path.data;
}
