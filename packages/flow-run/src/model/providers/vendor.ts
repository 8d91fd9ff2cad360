import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Json } from "@flow-run/spec";
import type { HttpFetch } from "../http/http-fetch.ts";
import type { DirectModel } from "./direct-call.ts";

/** A provider's settings from the project file, secrets filled in. */
export interface VendorSettings {
  apiKey?: string;
  baseUrl?: string;
  headers?: { [name: string]: string };
  /** OpenAI alone. */
  organization?: string;
  project?: string;
  /** Azure alone. */
  resourceName?: string;
  apiVersion?: string;
  /** Amazon Bedrock alone. */
  region?: string;
  accessKeyId?: string;
  secretAccessKey?: string;
  sessionToken?: string;
  /** Whatever else the author wrote; each vendor takes what it knows. */
  [name: string]: Json | undefined;
}

/** Servers of one's own may want no key, and without one the libraries would look into the environment. */
export const NO_KEY = "none";

/** What differs between vendors behind the same library interface. */
export interface Vendor {
  /** A model of this vendor that sends its requests through `fetch`. */
  languageModel(model: string, fetch: HttpFetch): LanguageModelV4;
  /** Where the library can be asked for its conversions alone. */
  directModel?(model: string, fetch: HttpFetch): DirectModel;
  /** The key under which the library looks for this vendor's own options. */
  optionsKey: string;
  /** Names of settings that the library turns into the vendor's own; any other setting goes into the request's body as it is. "all": the library does that itself. */
  options: ReadonlySet<string> | "all";
  /** Options sent unless the author's settings say otherwise. */
  defaults?: { [option: string]: Json };
  /** Options that make the vendor follow a schema as far as it can. */
  schemaOptions?(schema: { [keyword: string]: Json }, model: string): { [option: string]: Json };
  /** Whether a schema may be sent to this model at all; when not, it is written into the prompt. */
  takesSchemas(model: string): boolean;
  /** The vendor takes system messages only before all others. */
  systemFirst: boolean;
  /** The name of the model that answered, where the library does not tell it: from the raw answer or a raw event of its stream. */
  responseModel?(raw: unknown): string | null;
  /** JSON cannot be streamed: such an answer is asked for whole and handed over in one piece. */
  wholeJson?: boolean;
  /** The library takes a stream for complete that ended without the vendor's word for why. */
  missesBreaks?: boolean;
  /** Whether the model declined in a form that the library does not know: in a raw answer or a raw event of its stream. */
  isRefusal?(raw: unknown): boolean;
  /** Whether a whole answer holds no message at all, where the library would take it for an empty one. */
  isVoid?(raw: unknown): boolean;
}
