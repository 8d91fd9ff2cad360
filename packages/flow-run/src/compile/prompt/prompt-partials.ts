import type { Diagnostic, JsonSchema, PartialSource, PromptSource } from "@flow-run/spec";
import { type ParsedPartial, TemplateCheck } from "./check-template.ts";
import { InputShape } from "./named-shapes.ts";
import { parseTemplate } from "./parse-template.ts";
import { partialCycles } from "./partial-cycles.ts";
import { type PartialReference, partialReferences } from "./partial-references.ts";
import { AnyShape, SchemaShape, type ShapeDocument, shapeDocument } from "./shape.ts";
import { TemplateText } from "./template-text.ts";
import { unusedVariables } from "./unused-variables.ts";

export interface CheckedPrompt {
  /** Sources of all partials that the prompt reaches. */
  partials: { [name: string]: string };
  diagnostics: Diagnostic[];
}

/** The partials of a project, each parsed once, and the check of the prompts that include them. */
export class PromptPartials {
  /** Mistakes that the partials have by themselves, whoever includes them. */
  readonly diagnostics: Diagnostic[] = [];
  readonly #partials = new Map<string, ParsedPartial>();
  readonly #references = new Map<string, PartialReference[]>();
  readonly #broken: ReadonlySet<string>;

  /** `broken`: names of partials that are there but could not be read. */
  constructor(sources: readonly PartialSource[], broken: ReadonlySet<string>) {
    this.#broken = broken;
    for (const { name, file } of sources) {
      const template = new TemplateText(file, 0);
      const { program, diagnostics } = parseTemplate(template);
      this.#partials.set(name, { template, program });
      this.diagnostics.push(...diagnostics);
    }
    for (const [name, { template, program }] of this.#partials) {
      if (program === null) continue;
      this.#references.set(name, partialReferences(program));
      const input = new InputShape(new AnyShape("the input"));
      this.diagnostics.push(...this.#run(template, program, input, shapeDocument(true), { partial: name }).diagnostics);
    }
    this.diagnostics.push(...partialCycles(this.#partials, this.#references));
  }

  /** Checks a prompt with all that it includes against its input schema; without one, any variable may be given. */
  check(prompt: PromptSource, schema: JsonSchema | undefined): CheckedPrompt {
    const template = new TemplateText(prompt.source.file, prompt.bodyStart);
    const { program, diagnostics } = parseTemplate(template);
    if (program === null) return { partials: {}, diagnostics };
    const document = shapeDocument(schema ?? true);
    const input = new InputShape(schema === undefined ? new AnyShape("the input") : new SchemaShape([schema], document, "the input"));
    const checked = this.#run(template, program, input, document, { prompt: prompt.name });
    const unused = checked.isComplete ? unusedVariables(prompt, schema, input) : [];
    return { partials: this.#reached(program), diagnostics: [...checked.diagnostics, ...unused] };
  }

  #run(
    template: TemplateText,
    program: hbs.AST.Program,
    input: InputShape,
    document: ShapeDocument,
    names: { prompt: string } | { partial: string },
  ): TemplateCheck {
    const check = new TemplateCheck(input, document, this.#partials, this.#broken);
    check.run(template, program, names);
    return check;
  }

  #reached(program: hbs.AST.Program): { [name: string]: string } {
    const reached = new Map<string, string>();
    const visit = (references: readonly PartialReference[]): void => {
      // A name that is computed while rendering may be any.
      const names = references.flatMap(({ name }) => name ?? [...this.#partials.keys()]);
      for (const name of names) {
        const partial = this.#partials.get(name);
        if (partial === undefined || reached.has(name)) continue;
        reached.set(name, partial.template.text);
        visit(this.#references.get(name) ?? []);
      }
    };
    visit(partialReferences(program));
    return Object.fromEntries([...reached].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
