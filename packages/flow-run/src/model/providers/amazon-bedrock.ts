import type { Vendor, VendorSettings } from "./vendor.ts";
import { NO_KEY } from "./vendor.ts";

/** Domains of the partitions that are not AWS's public one, by how their regions begin. */
const DOMAINS: readonly (readonly [prefix: string, domain: string])[] = [
  ["cn-", "amazonaws.com.cn"],
  ["eusc-", "amazonaws.eu"],
  ["us-isob-", "sc2s.sgov.gov"],
  ["us-isof-", "csp.hci.ic.gov"],
  ["us-iso-", "c2s.ic.gov"],
  ["eu-isoe-", "cloud.adc-e.uk"],
];

/** Models that can be made to use a tool, which is how the library sends a schema; others get it in the prompt. */
const TAKES_SCHEMAS = /anthropic\.|amazon\.nova|mistral\.mistral-large/;

/**
 * Amazon Bedrock's Converse API, signed with an access key (SigV4) or with an API key of Bedrock's as a bearer token. `modelFamily: anthropic`
 * tells that the ARN of an inference profile leads to a Claude; `structuredOutputs: true` or `false` overrules what is known of the models.
 */
export async function amazonBedrock(settings: VendorSettings): Promise<Vendor> {
  const { createAmazonBedrock } = await import("@ai-sdk/amazon-bedrock");
  const { region = "", accessKeyId, secretAccessKey, sessionToken, structuredOutputs } = settings;
  const claude = settings.modelFamily === "anthropic";
  const signed = !settings.apiKey && accessKeyId !== undefined;
  const common = {
    // Nothing may be left out: the library would look into the environment for it.
    region,
    baseURL: settings.baseUrl ?? `https://bedrock-runtime.${region}.${domainOf(region)}`,
    apiKey: signed ? "" : settings.apiKey || NO_KEY,
    accessKeyId: accessKeyId ?? "",
    secretAccessKey: secretAccessKey ?? "",
    ...(sessionToken ? { sessionToken } : {}),
    headers: settings.headers ?? {},
  };
  return {
    languageModel: (model, fetch) => createAmazonBedrock({ ...common, fetch })(model, claude ? { modelFamily: "anthropic" } : {}),
    optionsKey: "amazonBedrock",
    // What it does not know it puts into the body itself, before that is signed.
    options: "all",
    takesSchemas: (model) => (typeof structuredOutputs === "boolean" ? structuredOutputs : claude || TAKES_SCHEMAS.test(model)),
    systemFirst: true,
    missesBreaks: true,
  };
}

function domainOf(region: string): string {
  return DOMAINS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? "amazonaws.com";
}
