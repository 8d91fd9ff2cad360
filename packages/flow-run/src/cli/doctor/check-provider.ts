import type { CompiledProvider } from "../../compile/index.ts";
import type { Check } from "./check.ts";

const VENDOR_URLS: { readonly [type: string]: string } = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com/v1",
  google: "https://generativelanguage.googleapis.com/v1beta",
};
const PATIENCE_MS = 5_000;

/** Whether the way to a provider is open; any answer will do, and no key is sent. What its clock says is added to `dates`. */
export async function checkProvider(name: string, provider: CompiledProvider, offline: boolean | undefined, dates: Date[]): Promise<Check> {
  const check = `provider ${name}`;
  if (provider.type === "simulator") return { name: check, status: "ok", detail: "the simulator, in this process" };
  const written = typeof provider.settings.baseUrl === "string" ? provider.settings.baseUrl : (VENDOR_URLS[provider.type] ?? "");
  const url = written.replace(/\$\{\{\s*secrets\.([\w-]+)\s*\}\}/g, (_, secret: string) => process.env[secret] ?? "");
  if (offline) return { name: check, status: "ok", detail: `${written || provider.type}, not contacted (--offline)` };
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    return { name: check, status: "warning", detail: `"${written}" is no address yet: set the secrets in it.` };
  }
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: "manual" });
    await response.body?.cancel();
    const date = Date.parse(response.headers.get("date") ?? "");
    if (!Number.isNaN(date)) dates.push(new Date(date));
    return { name: check, status: "ok", detail: `${hostOf(url)} answers` };
  } catch (error) {
    const { cause, name: kind } = error as { cause?: { code?: string }; name: string };
    const why = kind === "TimeoutError" ? `no answer in ${PATIENCE_MS / 1000} s` : (cause?.code ?? kind);
    return {
      name: check,
      status: "warning",
      detail: `${hostOf(url)} cannot be reached (${why}). Check the network, a proxy, and baseUrl.`,
    };
  }
}

/** Without user, password and query, which may hold keys. */
function hostOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
