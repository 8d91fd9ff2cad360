import type { Shape } from "./shape.ts";
import type { TemplateText } from "./template-text.ts";

/** A part of a template that is rendered elsewhere than it stands: an inline partial, or the block handed to a partial. */
export interface Enclosed {
  program: hbs.AST.Program;
  template: TemplateText;
  scope: Scope;
}

/** What names mean at one point of a template. */
export interface Scope {
  template: TemplateText;
  /** The prompt whose input it is; null when a partial is looked at by itself. */
  prompt: { name: string; file: string } | null;
  /** The current context first, then what `../` leads to. */
  contexts: readonly Shape[];
  blockParameters: ReadonlyMap<string, Shape>;
  /** How many `each` are around: `@index` and the like exist inside them. */
  eachDepth: number;
  inlinePartials: ReadonlyMap<string, Enclosed>;
  partialBlock: Enclosed | null;
  /** Names of the partials that are being rendered, outermost first. */
  partialStack: readonly string[];
}

/** The scope inside a block that has a context of its own. */
export function enter(scope: Scope, context: Shape, parameters: ReadonlyMap<string, Shape> = new Map(), isEach = false): Scope {
  return {
    ...scope,
    contexts: [context, ...scope.contexts],
    blockParameters: parameters.size === 0 ? scope.blockParameters : new Map([...scope.blockParameters, ...parameters]),
    eachDepth: scope.eachDepth + (isEach ? 1 : 0),
  };
}
