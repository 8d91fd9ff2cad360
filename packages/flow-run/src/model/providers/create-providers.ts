import type { Json } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { Dispatcher } from "undici";
import { createHttpFetch, type HttpFetch } from "../http/http-fetch.ts";
import type { ModelProvider } from "../model.ts";
import { checkSettings } from "./check-settings.ts";
import { fillSecrets } from "./fill-secrets.ts";
import { LanguageModelProvider } from "./language-model-provider.ts";
import { LazyProvider } from "./lazy-provider.ts";
import type { Vendor, VendorSettings } from "./vendor.ts";

/** A provider of the project file: its type and everything else written there, secrets still as references. */
export interface ProviderDefinitionInput {
  type: string;
  settings: { readonly [name: string]: Json };
}

export interface CreateProvidersOptions {
  providers: { readonly [name: string]: ProviderDefinitionInput };
  /** Value of a secret of the environment; undefined when there is none. Nothing else reads environment variables. */
  secret(name: string): string | undefined;
  /** Shared sockets; closed by whoever made them. */
  httpAgent: Dispatcher;
  /** Bytes of one answer. Default 50 MB. */
  maxAnswerBytes?: number;
}

export interface Providers {
  /**
   * The provider of that name, made at the first call and kept. Throws FlowRunError `unknown-provider`, `missing-secret` (which names the
   * secret), `missing-setting` or `provider-not-supported`; none of them gets better by trying again.
   */
  get(name: string): ModelProvider;
  /** The type as written in the project file. */
  typeOf(name: string): string;
  /** Where requests go, when the author says so; tells resellers of an OpenAI-compatible API apart when prices are looked up. */
  baseUrlOf(name: string): string | undefined;
  close(): Promise<void>;
}

type LoadVendor = (settings: VendorSettings) => Promise<Vendor>;

/** One dynamic import a vendor: their libraries are heavy, and a process asks one or two of them. */
const VENDORS: { readonly [type: string]: LoadVendor } = {
  openai: async (settings) => (await import("./openai.ts")).openAI(settings),
  anthropic: async (settings) => (await import("./anthropic.ts")).anthropic(settings),
  google: async (settings) => (await import("./google.ts")).google(settings),
  mistral: async (settings) => (await import("./mistral.ts")).mistral(settings),
  groq: async (settings) => (await import("./groq.ts")).groq(settings),
  azure: async (settings) => (await import("./azure.ts")).azure(settings),
  "amazon-bedrock": async (settings) => (await import("./amazon-bedrock.ts")).amazonBedrock(settings),
  "openai-compatible": async (settings) => (await import("./openai-compatible.ts")).openAICompatible(settings),
};

/** The providers of one release in one environment. Creating them is cheap and touches no network. */
export function createProviders(options: CreateProvidersOptions): Providers {
  const fetch = createHttpFetch(options.httpAgent, { maxBodyBytes: options.maxAnswerBytes });
  const made = new Map<string, ModelProvider>();
  const definition = (name: string): ProviderDefinitionInput => {
    if (!Object.hasOwn(options.providers, name)) {
      const known = Object.keys(options.providers);
      throw new FlowRunError(
        "unknown-provider",
        `There is no provider "${name}". ${known.length > 0 ? `Known are: ${known.join(", ")}.` : "Add it under `providers` in flow-run.yaml."}`,
      );
    }
    return options.providers[name]!;
  };
  return {
    get(name) {
      const known = made.get(name);
      if (known !== undefined) return known;
      const provider = createProvider(name, definition(name), options.secret, fetch);
      made.set(name, provider);
      return provider;
    },
    typeOf: (name) => definition(name).type,
    baseUrlOf: (name) => {
      const { baseUrl } = definition(name).settings;
      return typeof baseUrl === "string" && !baseUrl.includes("${{") ? baseUrl : undefined;
    },
    async close() {
      const open = [...made.values()];
      made.clear();
      await Promise.all(open.map((provider) => provider.close()));
    },
  };
}

function createProvider(
  name: string,
  definition: ProviderDefinitionInput,
  secret: (name: string) => string | undefined,
  fetch: HttpFetch,
): ModelProvider {
  // Its answers are data: what looks like a secret in them is text.
  if (definition.type === "simulator") return new LazyProvider(() => simulator(name, { ...definition.settings }));
  const { settings, secrets } = fillSecrets(name, definition.settings, secret);
  const load = VENDORS[definition.type];
  if (load === undefined) {
    throw new FlowRunError(
      "provider-not-supported",
      `There is no provider type "${definition.type}". Use one of ${[...Object.keys(VENDORS), "simulator"].join(", ")}.`,
      { details: { provider: name, type: definition.type } },
    );
  }
  const vendorSettings = settings as VendorSettings;
  checkSettings(name, definition.type, vendorSettings);
  return new LanguageModelProvider({
    name,
    loadVendor: () => load(vendorSettings),
    fetch,
    ownServer: vendorSettings.baseUrl !== undefined,
    secrets,
  });
}

async function simulator(name: string, settings: { [name: string]: Json }): Promise<ModelProvider> {
  const { createSimulatorProvider, parseSimulatorScript } = await import("../simulator/index.ts");
  return createSimulatorProvider(await parseSimulatorScript(JSON.stringify(settings), `providers.${name}`));
}
