import Handlebars from "handlebars";

/** One `{{> name}}`. */
export interface PartialReference {
  /** null: computed while the template is rendered. */
  name: string | null;
  loc: hbs.AST.SourceLocation;
}

/** All partials that a template includes itself. */
export function partialReferences(program: hbs.AST.Program): PartialReference[] {
  const references: PartialReference[] = [];
  const add = ({ name }: hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement): void => {
    references.push({ name: name.type === "SubExpression" ? null : String((name as hbs.AST.PathExpression).original), loc: name.loc });
  };
  class Collector extends Handlebars.Visitor {
    override PartialStatement(partial: hbs.AST.PartialStatement): void {
      add(partial);
      super.PartialStatement(partial);
    }
    override PartialBlockStatement(partial: hbs.AST.PartialBlockStatement): void {
      add(partial);
      super.PartialBlockStatement(partial);
    }
  }
  new Collector().accept(program);
  return references;
}
