import { FlowRunError } from "@flow-run/spec";
import type { VendorSettings } from "./vendor.ts";

/** Under which name a vendor's key usually stands in an environment; said when it is missing, never looked up by itself. */
const USUAL_SECRETS: { readonly [type: string]: string } = {
  openai: "OPENAI_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
  google: "GOOGLE_GENERATIVE_AI_API_KEY",
  mistral: "MISTRAL_API_KEY",
  groq: "GROQ_API_KEY",
  azure: "AZURE_API_KEY",
  "amazon-bedrock": "AWS_BEARER_TOKEN_BEDROCK",
};

/**
 * What every vendor needs before the first request, so that a run fails at its start and not in its middle. Throws FlowRunError
 * `invalid-setting`, `missing-setting` or `missing-secret`.
 */
export function checkSettings(name: string, type: string, settings: VendorSettings): void {
  const { baseUrl, apiKey } = settings;
  if (baseUrl !== undefined && !/^https?:\/\//.test(String(baseUrl))) {
    throw new FlowRunError("invalid-setting", `The baseUrl of provider "${name}" must begin with http:// or https://.`);
  }
  if (type === "openai-compatible" && !baseUrl) {
    throw new FlowRunError(
      "missing-setting",
      `Provider "${name}" of type openai-compatible needs a baseUrl, for example http://127.0.0.1:11434/v1.`,
    );
  }
  if (type === "azure") checkAzure(name, settings);
  if (type === "amazon-bedrock") checkAmazonBedrock(name, settings);
  else if (!baseUrl && !apiKey) throw missingSecret(name, "apiKey", USUAL_SECRETS[type]!);
}

function checkAzure(name: string, { baseUrl, resourceName }: VendorSettings): void {
  if (baseUrl) return;
  if (!resourceName) {
    throw new FlowRunError(
      "missing-setting",
      `Provider "${name}" of type azure needs a resourceName, or a baseUrl like https://RESOURCE.openai.azure.com/openai.`,
    );
  }
  // It becomes a part of the host to which the key goes.
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(String(resourceName))) {
    throw new FlowRunError(
      "invalid-setting",
      `The resourceName of provider "${name}" must be the name alone: letters, digits and hyphens. Write a whole address as baseUrl.`,
    );
  }
}

function checkAmazonBedrock(name: string, settings: VendorSettings): void {
  const { baseUrl, apiKey, region, accessKeyId, secretAccessKey } = settings;
  const signed = !apiKey && Boolean(accessKeyId || secretAccessKey);
  if (!region && (signed || !baseUrl)) {
    throw new FlowRunError("missing-setting", `Provider "${name}" of type amazon-bedrock needs a region, for example us-east-1.`);
  }
  if (region && !/^[a-z]+(-[a-z0-9]+)+$/.test(String(region))) {
    throw new FlowRunError("invalid-setting", `The region of provider "${name}" must be the name of an AWS region, for example us-east-1.`);
  }
  if (signed && !accessKeyId) throw missingSecret(name, "accessKeyId", "AWS_ACCESS_KEY_ID");
  if (signed && !secretAccessKey) throw missingSecret(name, "secretAccessKey", "AWS_SECRET_ACCESS_KEY");
  if (!signed && !apiKey && !baseUrl) {
    throw missingSecret(name, "apiKey", USUAL_SECRETS["amazon-bedrock"]!, "or accessKeyId and secretAccessKey in the same way");
  }
}

function missingSecret(provider: string, setting: string, secret: string, otherwise?: string): FlowRunError {
  const hint = `Write \`${setting}: "\${{ secrets.${secret} }}"\` in flow-run.yaml${otherwise === undefined ? "" : `, ${otherwise},`} and set that secret.`;
  return new FlowRunError("missing-secret", `Provider "${provider}" has no ${setting}. ${hint}`, { details: { provider, secret } });
}
