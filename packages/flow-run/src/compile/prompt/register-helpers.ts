import { FlowRunError } from "@flow-run/spec";
import type Handlebars from "handlebars";
import type { Marks } from "./mark.ts";
import { PROMPT_ROLES, type PromptRole } from "./prompt-message.ts";
import type { RenderWork } from "./work-limits.ts";

/** What the helpers of one template write to while it is rendered. */
export interface Rendering {
  marks: Marks;
  work: RenderWork;
}

type Options = Handlebars.HelperOptions;
type Each = (this: unknown, items: unknown, options: Options) => string;

/** Gives an environment the helpers of Dotprompt. `current` answers only while a template is being rendered. */
export function registerHelpers(environment: typeof Handlebars, current: () => Rendering): void {
  environment.registerHelper({
    role: (role: unknown) => current().marks.place({ kind: "role", role: promptRole(role) }),
    history: () => current().marks.place({ kind: "history" }),
    section: (purpose: unknown) => current().marks.place({ kind: "section", purpose: String(purpose) }),
    media: (...given: unknown[]) => {
      const { url, contentType } = (given.at(-1) as Options).hash;
      if (typeof url !== "string" || url === "") {
        throw new FlowRunError("render-failed", "{{media}} has no url. Put it inside {{#if …}} when the input may come without one.");
      }
      return current().marks.place({
        kind: "media",
        url,
        ...(contentType == null || contentType === "" ? {} : { contentType: String(contentType) }),
      });
    },
    json: (value: unknown, options: Options) => JSON.stringify(value, null, options.hash.indent || 0) ?? "",
    ifEquals(this: unknown, left: unknown, right: unknown, options: Options) {
      return left === right ? options.fn(this) : options.inverse(this);
    },
    unlessEquals(this: unknown, left: unknown, right: unknown, options: Options) {
      return left !== right ? options.fn(this) : options.inverse(this);
    },
    // Handlebars' own prints to the console, where prompt content must not go.
    log: () => "",
    each: countedEach(environment.helpers.each as Each, current),
  });
}

function promptRole(role: unknown): PromptRole {
  const known = PROMPT_ROLES.find((name) => name === role);
  if (known) return known;
  throw new FlowRunError(
    "render-failed",
    `{{role}} knows no role ${JSON.stringify(role) ?? "without a name"}. Use one of: ${PROMPT_ROLES.join(", ")}.`,
  );
}

/** `each` as Handlebars has it, with every turn counted and the text measured while it grows. */
function countedEach(each: Each, current: () => Rendering): Each {
  return function (this: unknown, items: unknown, options: Options) {
    const { work } = current();
    let length = 0;
    const fn: Options["fn"] = (context, inner) => {
      work.turn();
      const text = options.fn(context, inner);
      length += text.length;
      work.length(length);
      return text;
    };
    return each.call(this, items, { ...options, fn });
  };
}
