import { assetPath, type Diagnostic, type Json, type ProjectSource } from "@flow-run/spec";
import { parseDocument } from "yaml";
import type { CompiledProvider } from "./bundle.ts";
import { diagnosticAt } from "./diagnostic-at.ts";
import { splitTemplate } from "./expression/template.ts";

type Path = (string | number)[];
type Report = (path: Path, severity: Diagnostic["severity"], code: string, message: string, hint?: string) => void;

/** The providers of a project. `used`: names that models or prompts refer to. `complete`: they need none of its files any more. */
export function compileProviders(
  { project, assets }: ProjectSource,
  used: ReadonlySet<string>,
): { providers: { [name: string]: CompiledProvider }; complete: boolean; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  let complete = true;
  const report: Report = (path, severity, code, message, hint) =>
    diagnostics.push(diagnosticAt({ source: project.source, path }, severity, code, message, hint));
  const providers: [string, CompiledProvider][] = [];
  for (const [name, { type, limits, ...rest }] of Object.entries(project.value.providers ?? {})) {
    const path = ["providers", name];
    const settings = Object.fromEntries(Object.entries(rest).filter((entry): entry is [string, Json] => entry[1] !== undefined));
    if (type === "simulator" && typeof settings.script === "string") {
      const script = readScript(settings.script, project.source.file.path, assets);
      if (script === undefined) complete = false;
      else settings.script = script;
    }
    const missing = missingSetting(type, settings);
    if (missing !== undefined) {
      const severity = used.has(name) ? "error" : "warning";
      report([...path, "type"], severity, "missing-setting", `a provider of type ${type} needs ${missing}`);
    }
    const secrets = new Set<string>();
    if (type !== "simulator") {
      for (const [key, value] of Object.entries(settings)) {
        checkSetting(value, [...path, key], secrets, report);
        warnOfWrittenSecret(name, key, value, [...path, key], report);
      }
    }
    providers.push([name, { type, settings, secrets: [...secrets].sort(), ...(limits === undefined ? {} : { limits }) }]);
  }
  return { providers: Object.fromEntries(providers), complete, diagnostics };
}

/** What a provider of this type cannot be asked without, keys aside: whether one is needed is for its server to say. */
function missingSetting(type: string, { baseUrl, resourceName, region, accessKeyId }: { [name: string]: Json }): string | undefined {
  if (type === "openai-compatible" && !baseUrl) return "a baseUrl, for example http://127.0.0.1:11434/v1";
  if (type === "azure" && !baseUrl && !resourceName) return "a resourceName or a baseUrl";
  if (type === "amazon-bedrock" && !region && (!baseUrl || accessKeyId)) return "a region, for example us-east-1";
  return undefined;
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

/** A simulator's script, parsed; undefined when it could not be read, which was reported then. */
function readScript(path: string, from: string, assets: ReadonlyMap<string, string>): Json | undefined {
  const text = assets.get(assetPath(from, path) ?? "");
  if (text === undefined) return undefined;
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return undefined;
  try {
    return (document.toJS({ maxAliasCount: 100 }) ?? {}) as Json;
  } catch {
    return undefined;
  }
}
