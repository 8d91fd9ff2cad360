import { type Diagnostic, type PromptSource, suggest } from "@flow-run/spec";
import { diagnosticAt } from "../diagnostic-at.ts";

const RANGES: { readonly [key: string]: readonly [min: number, max: number] } = {
  temperature: [0, 2],
  presencePenalty: [-2, 2],
  frequencyPenalty: [-2, 2],
};

const KNOWN_KEYS = [...Object.keys(RANGES), "maxOutputTokens", "topP", "topK", "stopSequences", "seed", "reasoning", "reasoningEffort"];

/** What vendors and other frameworks call these settings; sent as they are they would silently do nothing or be refused. */
const OTHER_NAMES: { readonly [key: string]: string } = {
  max_tokens: "maxOutputTokens",
  max_output_tokens: "maxOutputTokens",
  max_completion_tokens: "maxOutputTokens",
  maxTokens: "maxOutputTokens",
  maxCompletionTokens: "maxOutputTokens",
  top_p: "topP",
  top_k: "topK",
  stop: "stopSequences",
  stop_sequences: "stopSequences",
  presence_penalty: "presencePenalty",
  frequency_penalty: "frequencyPenalty",
  reasoning_effort: "reasoningEffort",
};

/** Ranges that every vendor has, and keys that were meant to be others. Types are checked when the file is read. */
export function checkConfig({ source, value }: PromptSource): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const [key, setting] of Object.entries(value.config ?? {})) {
    const path = ["config", key];
    const range = Object.hasOwn(RANGES, key) ? RANGES[key] : undefined;
    if (range !== undefined && typeof setting === "number" && (setting < range[0] || setting > range[1])) {
      diagnostics.push(
        diagnosticAt(
          { source, path },
          "warning",
          "out-of-range",
          `${key} goes from ${range[0]} to ${range[1]}; a provider will refuse ${setting}`,
        ),
      );
    }
    if (KNOWN_KEYS.includes(key)) continue;
    const meant = Object.hasOwn(OTHER_NAMES, key) ? OTHER_NAMES[key] : suggest(key, KNOWN_KEYS);
    if (meant === undefined) continue;
    const message = `"${key}" is no setting of flow-run's and goes to the provider as it is`;
    diagnostics.push(diagnosticAt({ source, path, at: "key" }, "warning", "unknown-setting", message, `did you mean "${meant}"?`));
  }
  return diagnostics;
}
