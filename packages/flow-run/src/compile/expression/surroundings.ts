import type { CompiledExpression } from "../bundle.ts";
import type { Run, Site } from "./evaluation.ts";
import type { Tree } from "./parse.ts";
import type { Range } from "./problem.ts";

/** What the compilation of a node knows about its surroundings. */
export interface Surroundings {
  readonly expression: CompiledExpression;
  /** Names bound by comprehensions and `cel.bind`, outermost first; the index is the slot in `Frame.locals`. */
  readonly locals: readonly string[];
  /** Compiles a node below this one, with other locals if given. */
  compile(tree: Tree, locals?: readonly string[]): Run;
  site(range: Range): Site;
}
