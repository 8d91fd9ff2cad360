import { offsetPlace, type PartialSource, type PromptSource, promptSchema, type SourceFile, suggest } from "@flow-run/spec";
import { checkValue } from "./check/check-value.ts";
import { knownKeys } from "./check/known-keys.ts";
import { addAtPath, addAtRange, type Findings } from "./findings.ts";
import { splitPrompt } from "./split-prompt.ts";
import { readYaml } from "./yaml/read-yaml.ts";

/** Text of a `.prompt` file → the prompt; undefined when its front matter has mistakes, so that it never reaches a model as text. */
export function readPrompt(file: SourceFile, name: string, findings: Findings): PromptSource | undefined {
  const { frontMatter, unclosed, body, bodyStart } = splitPrompt(file);
  if (unclosed !== undefined) {
    addAtOffsets(file, unclosed, findings, "the front matter does not end", "close it with a line ---");
    return undefined;
  }
  if (frontMatter === undefined) {
    const { source } = readYaml(file, findings, 0, 0);
    return { kind: "prompt", name, source, value: {}, body, bodyStart };
  }
  const { source, value } = readYaml(file, findings, frontMatter.start, frontMatter.end);
  if (value === undefined) return undefined;
  const checked = checkValue(promptSchema, source, value ?? {}, findings);
  if (checked === undefined) return undefined;
  const prompt: PromptSource = { kind: "prompt", name, source, value: checked, body, bodyStart };
  return reportKeys(prompt, findings) ? prompt : undefined;
}

/** Text of a `_NAME.prompt` file. It is put into prompts as it is, so front matter in it would be sent to the model. */
export function readPartial(file: SourceFile, name: string, findings: Findings): PartialSource | undefined {
  const { frontMatter, unclosed } = splitPrompt(file);
  const fence = frontMatter ?? unclosed;
  if (fence === undefined) return { name, file };
  addAtOffsets(
    file,
    fence,
    findings,
    "a partial has no front matter: it is part of the prompts that use it",
    "remove everything up to the second ---",
  );
  return undefined;
}

function addAtOffsets(
  file: SourceFile,
  { start, end }: { start: number; end: number },
  findings: Findings,
  message: string,
  hint: string,
): void {
  const { line, column } = offsetPlace(file.text, start);
  const last = offsetPlace(file.text, Math.max(end, start));
  addAtRange(findings, file.path, { line, column, endLine: last.line, endColumn: last.column }, { code: "front-matter", message, hint });
}

/** Dotprompt ignores keys that it does not know; one that is nearly a known one is a mistake all the same, and gives false. */
function reportKeys({ source, value, name }: PromptSource, findings: Findings): boolean {
  let right = true;
  const known = knownKeys(promptSchema, []);
  for (const key of Object.keys(value)) {
    if (known.includes(key) || key.includes(".")) continue;
    const near = suggest(
      key,
      known.filter((other) => !Object.hasOwn(value, other)),
    );
    if (near !== undefined) right = false;
    addAtPath(findings, source, [key], "key", {
      code: "unknown-key",
      severity: near === undefined ? "warning" : "error",
      message: near === undefined ? `unknown key ${JSON.stringify(key)} is ignored` : `unknown key ${JSON.stringify(key)}`,
      hint:
        near === undefined ? "extensions have a dot in their name; free data goes under metadata" : `did you mean ${JSON.stringify(near)}?`,
    });
  }
  if (value.name !== undefined && value.name !== name) {
    addAtPath(findings, source, ["name"], "value", {
      code: "ignored-name",
      severity: "warning",
      message: `a prompt is called as its file is: ${name}, not ${value.name}`,
      hint: "remove the key, or rename the file",
    });
  }
  return right;
}
