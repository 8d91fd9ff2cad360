import { readdirSync, readFileSync } from "node:fs";
import type { Json } from "@flow-run/spec";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { PromptMessage } from "./prompt-message.ts";
import { preparePrompt } from "./render.ts";

// The cases of the Dotprompt specification (Google, Apache-2.0), unchanged; Picoschema's stand with the schemas.
const FOLDER = new URL("./__fixtures__/dotprompt-spec/", import.meta.url);

interface Data {
  input?: Json;
  messages?: PromptMessage[];
  context?: { [name: string]: Json };
}

interface Suite {
  name: string;
  template: string;
  partials?: { [name: string]: string };
  resolverPartials?: { [name: string]: string };
  data?: Data;
  tests: { desc: string; data?: Data; options?: { input?: { default?: { [name: string]: Json } } }; expect: { messages: unknown } }[];
}

function bodyOf(template: string): string {
  const frontMatter = /^---\n[\s\S]*?\n---\n/.exec(template);
  return frontMatter ? template.slice(frontMatter[0].length).trim() : template;
}

for (const file of readdirSync(FOLDER)) {
  describe(`Dotprompt specification, ${file}`, () => {
    for (const suite of parse(readFileSync(new URL(file, FOLDER), "utf8")) as Suite[]) {
      for (const row of suite.tests) {
        test(`${suite.name}: ${row.desc}`, () => {
          const prompt = preparePrompt({
            template: bodyOf(suite.template),
            partials: { ...suite.partials, ...suite.resolverPartials },
            defaults: row.options?.input?.default,
          });
          expect(prompt.renderWithSections({ input: {}, ...suite.data, ...row.data })).toEqual(row.expect.messages);
        });
      }
    }
  });
}

test("the specification's cases are all there", () => {
  const rows = readdirSync(FOLDER).flatMap((file) =>
    (parse(readFileSync(new URL(file, FOLDER), "utf8")) as Suite[]).flatMap((suite) => suite.tests),
  );
  expect(rows).toHaveLength(98);
});
