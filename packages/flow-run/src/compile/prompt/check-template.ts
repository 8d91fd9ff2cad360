import { type Diagnostic, suggest } from "@flow-run/spec";
import { checkHelperCall } from "./check-helper-call.ts";
import { ArgumentsShape, type InputShape } from "./named-shapes.ts";
import { readPath } from "./read-path.ts";
import { type Enclosed, enter, type Scope } from "./scope.ts";
import { AnyShape, SchemaShape, type Shape, type ShapeDocument } from "./shape.ts";
import { asPath, type Call, callOf, isContextItself, isHelperCall, isLiteral } from "./tag.ts";
import type { TemplateText } from "./template-text.ts";
import { MAX_PARTIAL_DEPTH } from "./work-limits.ts";

/** A partial of the project; `program` is null when its text has a syntax error. */
export interface ParsedPartial {
  template: TemplateText;
  program: hbs.AST.Program | null;
}

/** Different contexts in which the partials of one prompt are looked at; beyond, they count as checked. */
const MAX_PARTIAL_CHECKS = 2_000;

/** What expressions of workflows begin with. */
const EXPRESSION_ROOTS = ["input", "steps", "secrets", "vars", "run"];

/** Walks one prompt and, for each context in which they are included, its partials, and reports what cannot be right in any input. */
export class TemplateCheck {
  readonly diagnostics: Diagnostic[] = [];
  /** False when a part could not be looked at, so that nothing can be said of what is never used. */
  isComplete = true;
  readonly #input: InputShape;
  readonly #partials: ReadonlyMap<string, ParsedPartial>;
  readonly #brokenPartials: ReadonlySet<string>;
  readonly #done = new Set<string>();
  #depth = 0;
  readonly #document: ShapeDocument;

  constructor(
    input: InputShape,
    document: ShapeDocument,
    partials: ReadonlyMap<string, ParsedPartial>,
    brokenPartials: ReadonlySet<string>,
  ) {
    this.#input = input;
    this.#document = document;
    this.#partials = partials;
    this.#brokenPartials = brokenPartials;
  }

  /** Checks a whole template whose context is the input. `partial`: its name when it is a partial that is looked at by itself. */
  run(template: TemplateText, program: hbs.AST.Program, names: { prompt: string } | { partial: string }): void {
    const isPartial = "partial" in names;
    this.#program(program, {
      template,
      prompt: isPartial ? null : { name: names.prompt, file: template.file },
      contexts: [this.#input],
      blockParameters: new Map(),
      eachDepth: isPartial ? Number.POSITIVE_INFINITY : 0,
      inlinePartials: new Map(),
      partialBlock: null,
      partialStack: isPartial ? [names.partial] : [],
    });
  }

  #report = (diagnostic: Diagnostic): void => {
    this.diagnostics.push(diagnostic);
  };

  #program(program: hbs.AST.Program | null | undefined, outer: Scope): void {
    if (!program) return;
    const inline = inlinePartials(program, outer);
    const scope: Scope = inline.size === 0 ? outer : { ...outer, inlinePartials: new Map([...outer.inlinePartials, ...inline]) };
    // An inline partial sees the others of its block.
    for (const enclosed of inline.values()) enclosed.scope = scope;
    for (const statement of program.body) this.#statement(statement, scope);
  }

  #statement(statement: hbs.AST.Statement, scope: Scope): void {
    switch (statement.type) {
      case "MustacheStatement":
        this.#print(statement as hbs.AST.MustacheStatement, scope);
        break;
      case "BlockStatement":
        this.#block(statement as hbs.AST.BlockStatement, scope);
        break;
      case "PartialStatement":
      case "PartialBlockStatement":
        this.#partial(statement as hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement, scope);
        break;
      case "Decorator":
      case "DecoratorBlock":
        this.#decorator(statement as hbs.AST.DecoratorBlock, scope);
        break;
    }
  }

  #print(node: hbs.AST.MustacheStatement, scope: Scope): void {
    const call = callOf(node);
    if (isHelperCall(call, scope)) {
      this.#helper(call, "inline", scope);
      return;
    }
    if (this.#isExpression(node, call, scope)) return;
    const shape = readPath(call.path, scope, this.#input, this.#report);
    shape.readWhole();
    const kinds = [...(shape.kinds() ?? [])].filter((kind) => kind !== "null");
    if (kinds.length === 1 && kinds[0] === "object") {
      const hint = `write {{json ${call.path.original}}}, or one of its fields`;
      this.#report(
        scope.template.diagnostic("warning", "object-as-text", node.loc, `${shape.label} is an object and prints as [object Object]`, hint),
      );
    }
  }

  /** `${{ input.ticket }}` is how workflows write it; in a prompt it would print a dollar and nothing. */
  #isExpression(node: hbs.AST.MustacheStatement, { path }: Call, scope: Scope): boolean {
    const [root, name] = path.parts;
    if (root === undefined || name === undefined || path.data || path.depth > 0 || !EXPRESSION_ROOTS.includes(root)) return false;
    const before = { line: node.loc.start.line, column: node.loc.start.column - 1 };
    const context = scope.contexts[0]!;
    if (scope.template.slice({ start: before, end: node.loc.start }) !== "$" || context.fieldNames().includes(root)) return false;
    const severity = context.kinds() === null ? "warning" : "error";
    const message = "a prompt has no ${{ expressions }}: the dollar is printed as it stands";
    this.#report(
      scope.template.diagnostic(severity, "not-an-expression", { start: before, end: node.loc.end }, message, `write {{${name}}}`),
    );
    this.isComplete = false;
    return true;
  }

  #block(node: hbs.AST.BlockStatement, scope: Scope): void {
    const call = callOf(node);
    const parameters = node.program?.blockParams ?? [];
    if (!isHelperCall(call, scope)) {
      this.#section(node, call, scope);
      return;
    }
    const [first] = this.#helper(call, "block", scope);
    const context = first ?? new AnyShape();
    const named = (...shapes: Shape[]) => new Map(parameters.map((name, index) => [name, shapes[index] ?? new AnyShape(name)]));
    const helper = call.path.original;
    if (helper === "each") {
      this.#program(node.program, enter(scope, context.element(), named(context.element(), new AnyShape()), true));
    } else if (helper === "with" && !(call.params[0] && isContextItself(call.params[0]))) {
      this.#program(node.program, enter(scope, context, named(context)));
    } else {
      this.#program(
        node.program,
        parameters.length === 0 ? scope : { ...scope, blockParameters: new Map([...scope.blockParameters, ...named(context)]) },
      );
    }
    this.#program(node.inverse, scope);
  }

  /** `{{#name}}`: each for a list, with for an object, if for true and false. */
  #section(node: hbs.AST.BlockStatement, { path }: Call, scope: Scope): void {
    const shape = readPath(path, scope, this.#input, this.#report);
    const kinds = shape.kinds();
    if (kinds?.has("array")) this.#program(node.program, enter(scope, shape.element(), new Map(), true));
    else if (kinds !== null && [...kinds].every((kind) => kind === "boolean" || kind === "null")) this.#program(node.program, scope);
    else this.#program(node.program, { ...enter(scope, shape), eachDepth: kinds === null ? Number.POSITIVE_INFINITY : scope.eachDepth });
    this.#program(node.inverse, scope);
  }

  /** Checks a helper's call; gives the shapes of its arguments. */
  #helper(call: Call, use: "inline" | "block", scope: Scope): Shape[] {
    const helper = checkHelperCall(call, use, scope, this.#report);
    const shapes = call.params.map((param) => this.#value(param, scope));
    for (const { value } of call.pairs) this.#value(value, scope).readWhole();
    helper?.(shapes);
    return shapes;
  }

  #value(node: hbs.AST.Expression, scope: Scope): Shape {
    if (node.type === "PathExpression") return readPath(node as hbs.AST.PathExpression, scope, this.#input, this.#report);
    if (isLiteral(node)) {
      if (node.type === "UndefinedLiteral") return new AnyShape();
      const { value } = node as hbs.AST.StringLiteral;
      return new SchemaShape([{ const: value ?? null }], this.#document, JSON.stringify(value ?? null));
    }
    const call = callOf(node as hbs.AST.SubExpression);
    const shapes = this.#helper(call, "inline", scope);
    const [from, key] = call.params;
    if (call.path.original !== "lookup" || from === undefined || key === undefined) return new AnyShape();
    const name = (key as hbs.AST.StringLiteral).value;
    return isLiteral(key) ? (shapes[0]!.field(String(name)) ?? new AnyShape()) : shapes[0]!.element();
  }

  #partial(node: hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement, scope: Scope): void {
    const [given, ...tooMany] = node.params;
    if (tooMany.length > 0) {
      const hint = "name the others: {{> name value=x}}";
      this.#report(scope.template.diagnostic("error", "wrong-arguments", tooMany[0]!.loc, "a partial takes one context", hint));
    }
    const base = given === undefined ? scope.contexts[0]! : this.#value(given, scope);
    const pairs = node.hash?.pairs ?? [];
    const named = new Map(pairs.map(({ key, value }) => [key, this.#value(value, scope)]));
    const context = named.size === 0 ? base : new ArgumentsShape(base, named, this.#document);
    const block: Enclosed | null =
      node.type === "PartialBlockStatement"
        ? { program: (node as hbs.AST.PartialBlockStatement).program, template: scope.template, scope }
        : null;
    if (node.name.type === "SubExpression") {
      // Which partial it will be depends on the input; each was checked by itself.
      this.#value(node.name, scope);
      base.readWhole();
      for (const shape of named.values()) shape.readWhole();
      this.isComplete = false;
      return;
    }
    this.#include(asPath(node.name), context, block, scope);
  }

  #include(path: hbs.AST.PathExpression, context: Shape, block: Enclosed | null, scope: Scope): void {
    const name = path.original;
    if (name === "@partial-block") {
      if (scope.partialBlock === null) this.isComplete = false;
      else this.#enclosed("", scope.partialBlock, context, null);
      return;
    }
    const inline = scope.inlinePartials.get(name);
    if (inline !== undefined) {
      this.#enclosed(name, inline, context, block);
      return;
    }
    const partial = this.#partials.get(name);
    if (partial === undefined) {
      this.isComplete = false;
      // The block of a partial that does not exist is rendered in its place.
      if (block !== null) this.#enclosed("", block, context, null);
      else if (!this.#brokenPartials.has(name)) this.#report(this.#unknownPartial(path, scope));
      return;
    }
    if (partial.program === null) {
      this.isComplete = false;
      return;
    }
    const key = `${name}|${context.id}|${scope.eachDepth}|${[...scope.inlinePartials.keys()].join(",")}|${block && enclosedKey(block)}`;
    if (scope.partialStack.includes(name)) return;
    this.#once(key, partial.program, {
      template: partial.template,
      prompt: scope.prompt,
      contexts: [context],
      blockParameters: new Map(),
      eachDepth: scope.eachDepth,
      inlinePartials: scope.inlinePartials,
      partialBlock: block,
      partialStack: [...scope.partialStack, name],
    });
  }

  /** Checks a part that stands elsewhere, in the context in which it is rendered here. */
  #enclosed(name: string, enclosed: Enclosed, context: Shape, block: Enclosed | null): void {
    const mark = `${enclosedKey(enclosed)} ${name}`;
    if (enclosed.scope.partialStack.includes(mark)) return;
    const scope = enter(enclosed.scope, context);
    this.#once(`${mark}|${context.id}`, enclosed.program, {
      ...scope,
      partialBlock: block ?? scope.partialBlock,
      eachDepth: Number.POSITIVE_INFINITY,
      partialStack: [...scope.partialStack, mark],
    });
  }

  /** Looks at a part one level deeper, once for each context. */
  #once(key: string, program: hbs.AST.Program, scope: Scope): void {
    if (this.#done.has(key)) return;
    if (this.#done.size >= MAX_PARTIAL_CHECKS || this.#depth >= MAX_PARTIAL_DEPTH) {
      this.isComplete = false;
      return;
    }
    this.#done.add(key);
    this.#depth += 1;
    this.#program(program, scope);
    this.#depth -= 1;
  }

  #unknownPartial(path: hbs.AST.PathExpression, scope: Scope): Diagnostic {
    const near = suggest(path.original, [...this.#partials.keys(), ...scope.inlinePartials.keys()]);
    const hint = near === undefined ? `write prompts/_${path.original}.prompt` : `did you mean "${near}"?`;
    return scope.template.diagnostic("error", "unknown-partial", path.loc, `there is no partial "${path.original}"`, hint);
  }

  #decorator(node: hbs.AST.DecoratorBlock, scope: Scope): void {
    const name = asPath(node.path).original;
    if (name === "inline" && (node.type as string) === "DecoratorBlock") {
      if (node.params.length === 1 && node.params[0]!.type === "StringLiteral") return;
      this.#report(
        scope.template.diagnostic(
          "error",
          "wrong-arguments",
          node.loc,
          "an inline partial needs a name",
          'write {{#*inline "name"}}…{{/inline}}',
        ),
      );
      return;
    }
    const hint = 'the only one is {{#*inline "name"}}…{{/inline}}';
    this.#report(scope.template.diagnostic("error", "unknown-helper", node.path.loc, `there is no decorator "${name}"`, hint));
  }
}

function enclosedKey({ template, program }: Enclosed): string {
  return `${template.file}:${program.loc?.start.line}:${program.loc?.start.column}`;
}

function inlinePartials(program: hbs.AST.Program, scope: Scope): Map<string, Enclosed> {
  const found = new Map<string, Enclosed>();
  for (const statement of program.body) {
    if (statement.type !== "DecoratorBlock") continue;
    const { path, params, program: body } = statement as hbs.AST.DecoratorBlock;
    if (path.original !== "inline" || params[0]?.type !== "StringLiteral") continue;
    found.set((params[0] as hbs.AST.StringLiteral).value, { program: body, template: scope.template, scope });
  }
  return found;
}
