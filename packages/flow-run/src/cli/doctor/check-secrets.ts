import type { Bundle } from "../../compile/index.ts";
import type { Check } from "./check.ts";

/** Whether the secrets that providers refer to are in this process's environment. */
export function checkSecrets(bundle: Bundle): Check[] {
  const users = new Map<string, string[]>();
  for (const [name, provider] of Object.entries(bundle.providers)) {
    for (const secret of provider.secrets) users.set(secret, [...(users.get(secret) ?? []), name]);
  }
  return [...users].map(([secret, providers]) => {
    const present = Boolean(process.env[secret]);
    const used = `used by ${providers.join(", ")}`;
    return {
      name: `secret ${secret}`,
      status: present ? "ok" : "warning",
      detail: present ? `set, ${used}` : `not set, ${used}: local runs that need it are refused. Set the environment variable ${secret}.`,
    };
  });
}
