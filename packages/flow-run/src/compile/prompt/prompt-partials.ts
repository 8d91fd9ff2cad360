import type { Diagnostic, JsonSchema, PartialSource, PromptSource } from "@flow-run/spec";
import { parseTemplate } from "./parse-template.ts";
import { partialReferences } from "./partial-references.ts";
import { TemplateText, toLf } from "./template-text.ts";

interface Parsed {
  template: TemplateText;
  program: hbs.AST.Program | null;
}

export interface CheckedPrompt {
  /** Sources of all partials that the prompt reaches. */
  partials: { [name: string]: string };
  diagnostics: Diagnostic[];
}

/** The partials of a project, each parsed once. */
export class PromptPartials {
  /** Mistakes that the partials have by themselves, whoever uses them. */
  readonly diagnostics: Diagnostic[] = [];
  readonly #partials = new Map<string, Parsed>();

  /** `broken`: names of partials that could not be read. */
  constructor(sources: readonly PartialSource[]) {
    for (const { name, file } of sources) {
      const template = new TemplateText(file, 0);
      const { program, diagnostics } = parseTemplate(template);
      this.#partials.set(name, { template, program });
      this.diagnostics.push(...diagnostics);
    }
  }

  check(prompt: PromptSource, _input: JsonSchema | undefined): CheckedPrompt {
    const template = new TemplateText(prompt.source.file, prompt.bodyStart);
    const { program, diagnostics } = parseTemplate(template);
    return { partials: this.#reached(program), diagnostics };
  }

  #reached(program: hbs.AST.Program | null): { [name: string]: string } {
    const reached = new Map<string, string>();
    const visit = (from: hbs.AST.Program | null): void => {
      if (from === null) return;
      for (const name of partialReferences(from, this.#partials.keys())) {
        const partial = this.#partials.get(name);
        if (partial === undefined || reached.has(name)) continue;
        reached.set(name, toLf(partial.template.text));
        visit(partial.program);
      }
    };
    visit(program);
    return Object.fromEntries([...reached].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
