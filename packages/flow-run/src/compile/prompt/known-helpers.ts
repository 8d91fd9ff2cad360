/** How a helper may be called. Arguments do not count named ones (`indent=2`). */
export interface HelperSignature {
  use: "inline" | "block";
  min: number;
  max: number;
  /** Names of named arguments. */
  named: readonly string[];
  example: string;
}

/** Every helper that a prompt may use: Dotprompt's and Handlebars' own. A name that is missing here is unknown. */
export const KNOWN_HELPERS: ReadonlyMap<string, HelperSignature> = new Map(
  Object.entries({
    role: { use: "inline", min: 1, max: 1, named: [], example: '{{role "system"}}' },
    history: { use: "inline", min: 0, max: 0, named: [], example: "{{history}}" },
    section: { use: "inline", min: 1, max: 1, named: [], example: '{{section "output"}}' },
    media: { use: "inline", min: 0, max: 0, named: ["url", "contentType"], example: "{{media url=photo}}" },
    json: { use: "inline", min: 1, max: 1, named: ["indent"], example: "{{json ticket indent=2}}" },
    ifEquals: { use: "block", min: 2, max: 2, named: [], example: '{{#ifEquals tone "formal"}}…{{/ifEquals}}' },
    unlessEquals: { use: "block", min: 2, max: 2, named: [], example: '{{#unlessEquals tone "formal"}}…{{/unlessEquals}}' },
    if: { use: "block", min: 1, max: 1, named: ["includeZero"], example: "{{#if tone}}…{{/if}}" },
    unless: { use: "block", min: 1, max: 1, named: ["includeZero"], example: "{{#unless tone}}…{{/unless}}" },
    each: { use: "block", min: 1, max: 1, named: [], example: "{{#each questions}}…{{/each}}" },
    with: { use: "block", min: 1, max: 1, named: [], example: "{{#with customer}}…{{/with}}" },
    lookup: { use: "inline", min: 2, max: 2, named: [], example: "{{lookup labels category}}" },
    log: { use: "inline", min: 0, max: Number.POSITIVE_INFINITY, named: ["level"], example: "{{log ticket}}" },
  } satisfies { [name: string]: HelperSignature }),
);
