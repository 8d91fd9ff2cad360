import type { Json } from "@flow-run/spec";
import type { Dispatcher } from "undici";
import type { ModelRequest } from "./model.ts";
import { createProviders, type ProviderDefinitionInput } from "./providers/create-providers.ts";

/** A request as it would leave the process. Keys are left out. */
export interface CapturedRequest {
  method: string;
  url: string;
  headers: { [name: string]: string };
  body: Json;
}

const SECRET_HEADERS = new Set(["authorization", "x-api-key", "x-goog-api-key", "api-key", "x-amz-security-token"]);

/** What a provider would send for a request, without sending it. Null for a provider that sends nothing (the simulator in this process). */
export async function captureRequest(options: {
  provider: ProviderDefinitionInput;
  secret(name: string): string;
  model: string;
  request: ModelRequest;
}): Promise<CapturedRequest | null> {
  if (options.provider.type === "simulator") return null;
  let captured: CapturedRequest | null = null;
  const catcher = {
    dispatch(request: Dispatcher.DispatchOptions): boolean {
      const headers = Object.entries(request.headers as Record<string, string>);
      captured = {
        method: request.method,
        url: `${String(request.origin)}${request.path}`,
        headers: Object.fromEntries(headers.map(([name, value]) => [name, SECRET_HEADERS.has(name.toLowerCase()) ? "[left out]" : value])),
        body: JSON.parse(String(request.body)) as Json,
      };
      throw new Error("Captured, not sent.");
    },
  };
  const providers = createProviders({
    providers: { provider: options.provider },
    secret: options.secret,
    httpAgent: catcher as unknown as Dispatcher,
  });
  try {
    await providers.get("provider").call(options.model, options.request, { signal: new AbortController().signal });
  } catch (error) {
    if (captured === null) throw error;
  } finally {
    await providers.close();
  }
  return captured;
}
