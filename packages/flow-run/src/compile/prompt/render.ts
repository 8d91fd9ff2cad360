import { randomUUID } from "node:crypto";
import { FlowRunError, type Json } from "@flow-run/spec";
import Handlebars from "handlebars";
import { KNOWN_HELPERS } from "./known-helpers.ts";
import { Marks } from "./mark.ts";
import type { MessageWithSections, PromptMessage } from "./prompt-message.ts";
import { type Rendering, registerHelpers } from "./register-helpers.ts";
import { templateExcess } from "./template-limits.ts";
import { toMessages, withoutSections } from "./to-messages.ts";
import { RenderWork } from "./work-limits.ts";

export interface PromptTemplate {
  /** Handlebars source. */
  template: string;
  /** Handlebars sources by the name behind `{{>`. */
  partials?: { [name: string]: string };
  /** Values for variables that an input does not give. */
  defaults?: { [variable: string]: Json };
}

export interface RenderData {
  input: Json;
  /** A conversation so far: goes where `{{history}}` stands, else before the last user message. */
  messages?: readonly PromptMessage[];
  /** Read as `{{@name}}`, for example `state` or `auth`. */
  context?: { [name: string]: Json };
}

export interface PreparedPrompt {
  /** The messages for a model. Throws FlowRunError `render-failed` or `too-much-work`; never logs. */
  render(data: RenderData): PromptMessage[];
  /** The same with `{{section}}` kept among the parts, as the Dotprompt specification describes messages. */
  renderWithSections(data: RenderData): MessageWithSections[];
}

const COMPILE_OPTIONS = {
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: Object.fromEntries([...KNOWN_HELPERS.keys()].map((name) => [name, true])),
};

// Spelt out although they are the defaults: unset, Handlebars prints a warning to the console for each refused name.
const PROTOTYPE_ACCESS_OFF = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false };

/**
 * Makes a prompt ready to be rendered many times. Its helpers and partials are its own: nothing is shared with other prompts.
 * Values are inserted as they are (no HTML escaping) and never become roles, media or history, whatever text they hold.
 */
export function preparePrompt({ template, partials = {}, defaults = {} }: PromptTemplate): PreparedPrompt {
  const environment = Handlebars.create();
  // Rendering is synchronous and calls no code but ours, so one variable per prompt is enough.
  let rendering: Rendering | null = null;
  const current = () => rendering!;
  registerHelpers(environment, current);
  for (const [name, source] of Object.entries(partials)) {
    const compiled = environment.compile(source, COMPILE_OPTIONS);
    environment.registerPartial(name, (context, options) => current().work.inPartial(() => compiled(context, options)));
  }
  const main = environment.compile(template, COMPILE_OPTIONS);
  const sources = [template, ...Object.values(partials)];
  // Each rendering wraps every helper anew: only those are kept that the text can name, or that others call.
  for (const name of KNOWN_HELPERS.keys()) {
    if (name !== "each" && name !== "if" && !sources.some((source) => source.includes(name))) environment.unregisterHelper(name);
  }
  const excess = sources.map(templateExcess).find((reason) => reason !== undefined);

  const renderWithSections = ({ input, messages = [], context }: RenderData): MessageWithSections[] => {
    if (excess !== undefined) throw new FlowRunError("render-failed", `The prompt cannot be rendered: ${excess}. Take it apart.`);
    const own: Rendering = { marks: new Marks(randomUUID()), work: new RenderWork() };
    const root = isRecord(input) ? { ...defaults, ...input } : (input ?? defaults);
    rendering = own;
    try {
      const text = main(root, { data: { ...context, metadata: { messages }, root }, ...PROTOTYPE_ACCESS_OFF });
      own.work.length(text.length);
      return toMessages(own.marks.split(text), messages);
    } catch (error) {
      throw renderError(error);
    } finally {
      rendering = null;
    }
  };
  return { renderWithSections, render: (data) => withoutSections(renderWithSections(data)) };
}

function isRecord(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function renderError(error: unknown): FlowRunError {
  if (FlowRunError.isInstance(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new FlowRunError("render-failed", `The prompt cannot be rendered: ${reason}. Check the template against the input.`, {
    cause: error,
  });
}
