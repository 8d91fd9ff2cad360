import type { Json } from "@flow-run/spec";

/** What stands in a secret's place wherever it could be recorded. */
export const HIDDEN = "***";

/** Shorter ones occur by chance in any text, and whoever can try a few values knows them anyway. */
const SHORTEST = 6;

/** Takes secrets out of what came back: servers like to repeat what they were sent. A piece of a secret, or its hash, is not recognised. */
export interface Redactor {
  text(text: string): string;
  json(value: Json): Json;
}

export function createRedactor(secrets: readonly string[]): Redactor {
  const forms = secrets
    .filter((secret) => secret.length >= SHORTEST)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), ...inUrls(secret.toWellFormed())]);
  if (forms.length === 0) return { text: (text) => text, json: (value) => value };
  // The longest first: one secret may be the beginning of another.
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "gi");
  const text = (from: string) => from.replace(pattern, HIDDEN);
  const json = (value: Json): Json => {
    if (typeof value === "string") return text(value);
    if (Array.isArray(value)) return value.map(json);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [text(key), json(entry)]));
  };
  return { text, json };
}

/** How a secret looks in a URL: encoded by an author who was careful, or by the URL itself, in its path or its query. */
function inUrls(secret: string): string[] {
  const url = new URL("http://host/");
  url.pathname = `/${secret}`;
  url.search = secret;
  return [encodeURIComponent(secret), url.pathname.slice(1), url.search.slice(1)].filter((form) => form.length >= SHORTEST);
}
