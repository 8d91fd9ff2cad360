import Handlebars from "handlebars";

/** Names of the partials that a template includes itself; all of `every` when it computes a name while it renders. */
export function partialReferences(program: hbs.AST.Program, every: Iterable<string>): Set<string> {
  const names = new Set<string>();
  const add = ({ name }: hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement): void => {
    if (name.type === "SubExpression") for (const other of every) names.add(other);
    else names.add(String((name as hbs.AST.PathExpression).original));
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
  return names;
}
