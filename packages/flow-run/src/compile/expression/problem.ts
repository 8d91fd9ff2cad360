/** A mistake inside one expression. `start` and `end` count UTF-16 units from the first character of its source. */
export interface Problem {
  /** Stable, for example `unknown-field`. */
  code: string;
  message: string;
  hint?: string;
  start: number;
  end: number;
}

/** A stretch of an expression's source; every node of a tree is one. */
export interface Range {
  readonly start: number;
  readonly end: number;
}
