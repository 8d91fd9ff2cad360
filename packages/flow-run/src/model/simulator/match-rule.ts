import type { SimulatorRule } from "@flow-run/spec";
import type { SimulatorRequest } from "./simulated-request.ts";
import { textOfMessages } from "./simulated-request.ts";

type When = NonNullable<SimulatorRule["when"]>;

/** Makes a rule's conditions ready to be asked often; `nth` is counted elsewhere, because it depends on what was asked before. */
export function compileWhen(when: When | undefined): (request: SimulatorRequest, attempt: number) => boolean {
  if (!when) return () => true;
  const tests: ((request: SimulatorRequest, attempt: number) => boolean)[] = [];
  if (when.attempt !== undefined) tests.push((_, attempt) => attempt === when.attempt);
  if (when.format !== undefined) tests.push((request) => (request.output ? "json" : "text") === when.format);
  if (when.model !== undefined) {
    const model = compileWildcard(when.model);
    tests.push((request) => model.test(request.model));
  }
  if (when.schema !== undefined) {
    const name = compileWildcard(when.schema);
    tests.push((request) => namesOfSchema(request).some((candidate) => name.test(candidate)));
  }
  if (when.properties !== undefined) {
    tests.push((request) => {
      const properties = schemaObject(request)?.properties;
      return typeof properties === "object" && properties !== null && when.properties!.every((name) => Object.hasOwn(properties, name));
    });
  }
  if (when.contains !== undefined) {
    const texts = (typeof when.contains === "string" ? [when.contains] : when.contains).map((text) => text.toLowerCase());
    tests.push((request) => {
      const searched = textOfMessages(request.messages, when.role).toLowerCase();
      return texts.every((text) => searched.includes(text));
    });
  }
  if (when.matches !== undefined) {
    const pattern = new RegExp(when.matches, "u");
    tests.push((request) => pattern.test(textOfMessages(request.messages, when.role)));
  }
  if (when.role !== undefined && when.contains === undefined && when.matches === undefined) {
    tests.push((request) => request.messages.some(({ role }) => role === when.role));
  }
  return (request, attempt) => tests.every((test) => test(request, attempt));
}

function compileWildcard(wildcard: string): RegExp {
  const escaped = wildcard.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|/]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`, "su");
}

function namesOfSchema(request: SimulatorRequest): string[] {
  const title = schemaObject(request)?.title;
  return [request.output?.name, title].filter((name) => typeof name === "string");
}

function schemaObject(request: SimulatorRequest) {
  const schema = request.output?.schema;
  return typeof schema === "object" ? schema : undefined;
}
