import { type Diagnostic, type Json, type ProjectSource, simulatorScriptSchema } from "@flow-run/spec";
import { LineCounter, parseDocument } from "yaml";
import type { CompiledProvider } from "./bundle.ts";
import { diagnosticAt } from "./diagnostic-at.ts";
import { splitTemplate } from "./expression/template.ts";

/** Provider types of the format that this version does not speak yet. */
const UNSUPPORTED_TYPES: ReadonlySet<string> = new Set(["mistral", "groq", "azure", "amazon-bedrock"]);

type Path = (string | number)[];
type Report = (path: Path, severity: Diagnostic["severity"], code: string, message: string, hint?: string) => void;

/** The providers of a project, complete without its files. `used`: names that models or prompts refer to. */
export function compileProviders(
  { project, assets }: ProjectSource,
  used: ReadonlySet<string>,
): { providers: { [name: string]: CompiledProvider }; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const report: Report = (path, severity, code, message, hint) =>
    diagnostics.push(diagnosticAt({ source: project.source, path }, severity, code, message, hint));
  const providers: [string, CompiledProvider][] = [];
  for (const [name, { type, ...rest }] of Object.entries(project.value.providers ?? {})) {
    const path = ["providers", name];
    if (UNSUPPORTED_TYPES.has(type)) {
      const severity = used.has(name) ? "error" : "warning";
      const hint = "use openai-compatible with the vendor's OpenAI-compatible baseUrl, or openai, anthropic, google";
      report([...path, "type"], severity, "not-supported-yet", `providers of type ${type} cannot be asked by this version yet`, hint);
    }
    const settings = Object.fromEntries(Object.entries(rest).filter((entry): entry is [string, Json] => entry[1] !== undefined));
    if (type === "simulator" && typeof settings.script === "string") {
      const read = readScript(settings.script, assets);
      if (read === undefined) {
        const hint = "the path counts from the project's root";
        report(
          [...path, "script"],
          "error",
          "file-not-found",
          `the simulator's script ${JSON.stringify(settings.script)} cannot be read`,
          hint,
        );
      } else {
        diagnostics.push(...read.diagnostics);
        settings.script = read.script;
      }
    }
    const secrets = new Set<string>();
    if (type !== "simulator") {
      for (const [key, value] of Object.entries(settings)) {
        checkSetting(value, [...path, key], secrets, report);
        warnOfWrittenSecret(name, key, value, [...path, key], report);
      }
    }
    providers.push([name, { type, settings, secrets: [...secrets].sort() }]);
  }
  return { providers: Object.fromEntries(providers), diagnostics };
}

/** Only `${{ secrets.NAME }}` may stand in a provider's settings. */
function checkSetting(value: Json, path: Path, secrets: Set<string>, report: Report): void {
  if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value))
      checkSetting(item, [...path, Array.isArray(value) ? Number(key) : key], secrets, report);
    return;
  }
  if (typeof value !== "string") return;
  const template = splitTemplate(value);
  if (template.unclosed !== undefined) report(path, "error", "syntax", "${{ has no }}", "write ${{ secrets.NAME }}");
  for (const part of template.parts) {
    if (part.kind !== "expression") continue;
    const secret = /^secrets\.([A-Za-z_][A-Za-z0-9_-]*)$/.exec(part.source)?.[1];
    if (secret !== undefined) secrets.add(secret);
    else
      report(
        path,
        "error",
        "not-available-here",
        `${JSON.stringify(part.source)} cannot stand in a provider's settings`,
        "write ${{ secrets.NAME }}",
      );
  }
}

const SECRET_KEY = /^(apiKey|secretAccessKey|sessionToken|.*(apiKey|token|secret|password))$/i;
const SECRET_HEADER = /^(authorization|proxy-authorization|(x-)?(api|access|auth)[-_]?(key|token))$/i;

function warnOfWrittenSecret(provider: string, key: string, value: Json, path: Path, report: Report): void {
  if (key === "headers" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [header, text] of Object.entries(value)) if (SECRET_HEADER.test(header)) warn(text, [...path, header]);
  } else if (SECRET_KEY.test(key)) {
    warn(value, path);
  }
  function warn(text: Json, at: Path): void {
    if (typeof text !== "string" || text === "" || text.includes("${{")) return;
    const name = `${provider}_${String(at.at(-1))}`.replace(/([a-z])([A-Z])/g, "$1_$2").replace(/[^A-Za-z0-9]+/g, "_");
    const hint = `write "\${{ secrets.${name.toUpperCase()} }}" and set that environment variable; then change the key, for Git keeps the old text`;
    report(at, "warning", "secret-in-file", "a key is written out in the file: everyone who can read the project has it", hint);
  }
}

/** A simulator's script, parsed; undefined when the project has no such file. */
function readScript(path: string, assets: ReadonlyMap<string, string>): { script: Json; diagnostics: Diagnostic[] } | undefined {
  const file = path.replace(/^(\.\/)+/, "");
  const text = assets.get(path) ?? assets.get(file);
  if (text === undefined) return undefined;
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const source = { file: { path: file, text }, document, lineCounter, start: 0 };
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    const { line, col } = lineCounter.linePos(mistake.pos[0]);
    return { script: {}, diagnostics: [{ code: "syntax", severity: "error", message: mistake.message, file, line, column: col }] };
  }
  try {
    const script = (document.toJS({ maxAliasCount: 100 }) ?? {}) as Json;
    const issues = simulatorScriptSchema.safeParse(script).error?.issues ?? [];
    return {
      script,
      diagnostics: issues.map((issue) =>
        diagnosticAt(
          { source, path: issue.path.map((key) => (typeof key === "number" ? key : String(key))) },
          "error",
          "invalid-script",
          issue.message,
        ),
      ),
    };
  } catch (error) {
    return {
      script: {},
      diagnostics: [{ code: "syntax", severity: "error", message: (error as Error).message, file, line: 1, column: 1 }],
    };
  }
}
