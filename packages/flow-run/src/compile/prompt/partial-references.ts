/** One `{{> name}}`. */
export interface PartialReference {
  /** null: computed while the template is rendered. */
  name: string | null;
  loc: hbs.AST.SourceLocation;
}

/** All partials that a template includes itself, in inline partials and blocks too. */
export function partialReferences(program: hbs.AST.Program): PartialReference[] {
  const references: PartialReference[] = [];
  const visit = (inside: hbs.AST.Program | null | undefined): void => {
    for (const statement of inside?.body ?? []) {
      const { program: block, inverse } = statement as hbs.AST.BlockStatement;
      if (statement.type === "PartialStatement" || statement.type === "PartialBlockStatement") {
        const { name } = statement as hbs.AST.PartialStatement;
        references.push({ name: name.type === "SubExpression" ? null : String((name as hbs.AST.PathExpression).original), loc: name.loc });
      }
      visit(block);
      visit(inverse);
    }
  };
  visit(program);
  return references;
}
