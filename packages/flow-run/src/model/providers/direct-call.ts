import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4GenerateResult } from "@ai-sdk/provider";
import type { HttpFetch } from "../http/http-fetch.ts";

/** A model whose library converts requests and answers also without sending them. */
export interface DirectModel {
  url: string;
  headers: { [name: string]: string };
  library: Pick<LanguageModelV4, "doGenerate"> & {
    prepareRequest(call: LanguageModelV4CallOptions): Promise<{ body: unknown; warnings: LanguageModelV4GenerateResult["warnings"] }>;
    convertResponse(answer: {
      body: unknown;
      providerOptions?: LanguageModelV4CallOptions["providerOptions"];
    }): Promise<LanguageModelV4GenerateResult>;
  };
  /** The same model over another `fetch`. */
  over(fetch: HttpFetch): Pick<LanguageModelV4, "doGenerate">;
}

/**
 * `doGenerate` with the library's words and without its way of sending, which costs as much as the request itself. Whatever is not a plain good answer is
 * shown to the library as if it had received it, so that errors are the library's own.
 */
export async function callDirectly(
  direct: DirectModel,
  fetch: HttpFetch,
  call: LanguageModelV4CallOptions,
): Promise<LanguageModelV4GenerateResult> {
  const { library, url, headers } = direct;
  const { body, warnings } = await library.prepareRequest(call);
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, ...(call.headers as { [name: string]: string } | undefined) },
    body: JSON.stringify(body),
    signal: call.abortSignal ?? null,
  });
  const raw = await plainAnswer(response);
  if (raw !== null) {
    const { providerOptions } = call;
    const result = await library
      .convertResponse({ body: raw, ...(providerOptions === undefined ? {} : { providerOptions }) })
      .catch(() => null);
    if (result !== null)
      return { ...result, response: { ...result.response, body: raw, headers: Object.fromEntries(response.headers) }, warnings };
  }
  return direct.over(async () => response).doGenerate(call);
}

/** Keys that a parser of untrusted JSON should refuse, also when their letters are written as escapes. The library does. */
function isDubious(text: string): boolean {
  return text.includes("__proto__") || text.includes("constructor") || (text.includes("\\u00") && /\\u00[567]/.test(text));
}

/** The JSON of an answer that came whole and well; null for anything else. */
async function plainAnswer(response: Response): Promise<unknown> {
  if (!response.ok || !response.headers.get("content-type")?.includes("application/json")) return null;
  const text = await response.text();
  if (isDubious(text)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
