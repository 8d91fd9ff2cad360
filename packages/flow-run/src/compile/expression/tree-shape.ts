import type { Tree } from "./parse.ts";
import type { Range } from "./problem.ts";

/** Whether a `.?` or `[?]` stands somewhere before: from there on, null and missing are passed through as missing. */
export function isChain(tree: Tree): boolean {
  if (tree.op === ".?" || tree.op === "[?]") return true;
  return (tree.op === "." || tree.op === "[]") && isChain(tree.args[0]);
}

/** Where the name of a method or function stands. */
export function nameRange(tree: Extract<Tree, { op: "call" | "rcall" }>): Range {
  if (tree.op === "call") return { start: tree.start, end: tree.start + tree.args[0].length };
  const [name, receiver] = tree.args;
  // Between the receiver and the name: closing brackets, blanks, comments and one dot.
  const between = /(?:[\s)]|\/\/[^\n]*\n)*\.(?:\s|\/\/[^\n]*\n)*/y;
  between.lastIndex = receiver.end;
  const match = between.exec(tree.input);
  const start = match ? receiver.end + match[0].length : receiver.end;
  return { start, end: start + name.length };
}

/** How many nodes a tree has. */
export function treeSize(tree: Tree): number {
  return 1 + childrenOf(tree).reduce((sum, child) => sum + treeSize(child), 0);
}

export function childrenOf(tree: Tree): readonly Tree[] {
  switch (tree.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [tree.args[0]];
    case "call":
      return tree.args[1];
    case "rcall":
      return [tree.args[1], ...tree.args[2]];
    case "map":
      return tree.args.flat();
    case "!_":
    case "-_":
      return [tree.args];
    default:
      return tree.args;
  }
}
