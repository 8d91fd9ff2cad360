import type { Json } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";

const REFERENCE = /\$\{\{\s*secrets\.([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}/g;

/** Settings that are keys wherever they come from. */
const KEYS = ["apiKey", "accessKeyId", "secretAccessKey", "sessionToken"];

export interface FilledSettings {
  settings: { [name: string]: Json };
  /** The values that were filled in: they must not appear in messages. */
  secrets: string[];
}

/** Puts secrets where the settings name them. Throws FlowRunError `missing-secret` that names the secret and the provider. */
export function fillSecrets(
  provider: string,
  settings: { readonly [name: string]: Json },
  secret: (name: string) => string | undefined,
): FilledSettings {
  const secrets: string[] = [];
  const fill = (value: Json): Json => {
    if (typeof value === "string") {
      return value.replace(REFERENCE, (_, name: string) => {
        // Secrets that were piped in often end in a line break, which no header takes.
        const found = secret(name)?.replace(/[\r\n]+$/, "");
        if (found === undefined || found === "") {
          throw new FlowRunError(
            "missing-secret",
            `Provider "${provider}" needs the secret ${name}. Set it for this environment (flow-run secrets set ${name}) or as an environment variable.`,
            { details: { provider, secret: name } },
          );
        }
        secrets.push(found);
        return found;
      });
    }
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fill(entry)]));
    return value;
  };
  const filled = fill({ ...settings }) as { [name: string]: Json };
  // A key that is written out in the file must not appear in messages either.
  for (const key of KEYS) if (typeof filled[key] === "string") secrets.push(filled[key]);
  return { settings: filled, secrets };
}
