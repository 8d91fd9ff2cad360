/** One thing that is wrong with a schema as an author wrote it. */
export interface SchemaProblem {
  /** Keys and indexes from the notation's root, as written (`tags(array)`), so that the place in the file can be found. */
  path: (string | number)[];
  message: string;
  hint?: string;
}

/** A schema notation makes no sense. Carries every problem; `path` and `message` are the first one's. */
export class SchemaNotationError extends Error {
  readonly problems: readonly SchemaProblem[];
  readonly path: readonly (string | number)[];
  readonly hint: string | undefined;

  constructor(problems: readonly [SchemaProblem, ...SchemaProblem[]]) {
    super(problems[0].message);
    this.name = "SchemaNotationError";
    this.problems = problems;
    this.path = problems[0].path;
    this.hint = problems[0].hint;
  }
}
