import { FlowRunError } from "@flow-run/spec";

/** UTF-16 units of one rendered prompt, about 10 MB of plain text. */
export const MAX_RENDERED_LENGTH = 10_000_000;
/** Turns of `each` blocks and insertions of partials in one rendering. */
export const MAX_RENDER_TURNS = 500_000;
/** Partials inside partials. */
export const MAX_PARTIAL_DEPTH = 50;

/** Counts what one rendering does, so that an input can make it neither endless nor huge. */
export class RenderWork {
  #turns = 0;
  #depth = 0;

  turn(): void {
    this.#turns += 1;
    if (this.#turns > MAX_RENDER_TURNS) throw tooMuch(`it repeats its blocks more than ${MAX_RENDER_TURNS.toLocaleString("en")} times`);
  }

  length(characters: number): void {
    if (characters > MAX_RENDERED_LENGTH) throw tooMuch(`its text is longer than ${MAX_RENDERED_LENGTH.toLocaleString("en")} characters`);
  }

  /** Renders a partial one level deeper. */
  inPartial(render: () => string): string {
    this.turn();
    this.#depth += 1;
    if (this.#depth > MAX_PARTIAL_DEPTH) throw tooMuch(`its partials are nested more than ${MAX_PARTIAL_DEPTH} deep`);
    const text = render();
    this.#depth -= 1;
    this.length(text.length);
    return text;
  }
}

function tooMuch(reason: string): FlowRunError {
  return new FlowRunError("too-much-work", `The prompt cannot be rendered: ${reason}. Give it a smaller input.`);
}
