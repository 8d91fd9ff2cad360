import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4FinishReason, LanguageModelV4Usage } from "@ai-sdk/provider";
import { APICallError } from "@ai-sdk/provider";
import type { Json } from "@flow-run/spec";
import type { HttpFetch } from "../http/http-fetch.ts";
import type { ModelAnswer, ModelCallOptions, ModelProvider, ModelRequest } from "../model.ts";
import { ModelCallError } from "../model-call-error.ts";
import { wellFormedText } from "../well-formed-text.ts";
import { classifyError } from "./classify-error.ts";
import { convertConfig } from "./convert-config.ts";
import { convertMessages } from "./convert-messages.ts";
import { convertOutput } from "./convert-output.ts";
import { convertUsage, rawUsageOf } from "./convert-usage.ts";
import { describeWarning } from "./describe-warning.ts";
import { callDirectly, type DirectModel } from "./direct-call.ts";
import { rateLimitPauseMs } from "./rate-limit-pause.ts";
import { readStream } from "./read-stream.ts";
import type { Vendor } from "./vendor.ts";

export interface LanguageModelProviderOptions {
  /** As in the project file. */
  name: string;
  /** Called once, at the first request: loading a vendor's library takes a while. */
  loadVendor(): Promise<Vendor>;
  fetch: HttpFetch;
  /** Whether requests go to a server of the author's own: only such servers are told the attempt's id. */
  ownServer: boolean;
  /** Must not appear in a message. */
  secrets: readonly string[];
}

/** What came back, before it is judged. */
export interface RawAnswer {
  text: string;
  finishReason: LanguageModelV4FinishReason;
  usage: LanguageModelV4Usage | undefined;
  responseModel: string | null;
  responseId: string | null;
  timeToFirstTokenMs: number | null;
  warnings: string[];
  /** How long the provider will take nothing more, as its headers say. */
  pauseMs: number | undefined;
}

/** A vendor's library, reached at specification level, as our model port. */
export class LanguageModelProvider implements ModelProvider {
  private readonly options: LanguageModelProviderOptions;
  private vendor: Promise<Vendor> | null = null;
  /** By name: making one costs more than asking it. */
  private readonly models = new Map<string, LanguageModelV4>();
  private readonly directModels = new Map<string, DirectModel>();

  constructor(options: LanguageModelProviderOptions) {
    this.options = options;
  }

  async call(model: string, request: ModelRequest, options: ModelCallOptions): Promise<ModelAnswer> {
    this.vendor ??= this.options.loadVendor();
    const vendor = await this.vendor;
    let received: RawAnswer | null = null;
    const keep = (answer: RawAnswer) => {
      received = answer;
    };
    try {
      await this.send(vendor, model, request, options, keep);
      return this.judge(received!, request);
    } catch (error) {
      const usage = (received as RawAnswer | null)?.usage;
      throw classifyError(vendor.isRefusal?.(unreadableAnswer(error)) ? this.withheld() : error, {
        provider: this.options.name,
        request,
        signal: options.signal,
        secrets: this.options.secrets,
        usage: convertUsage(usage),
        rawUsage: rawUsageOf(usage),
      });
    }
  }

  async close(): Promise<void> {}

  private async send(
    vendor: Vendor,
    model: string,
    request: ModelRequest,
    options: ModelCallOptions,
    keep: (answer: RawAnswer) => void,
  ): Promise<void> {
    const config = convertConfig(request.config, vendor);
    const output = convertOutput(request.output, vendor, model);
    const call: LanguageModelV4CallOptions = {
      ...config.settings,
      prompt: convertMessages(request.messages, vendor.systemFirst, output.instruction),
      responseFormat: output.responseFormat,
      providerOptions: { [vendor.optionsKey]: { ...output.options, ...config.options } },
      headers: this.options.ownServer && options.attemptId !== undefined ? { "x-flow-run-attempt": options.attemptId } : {},
      abortSignal: options.signal,
    };
    const languageModel =
      config.body === null ? this.modelOf(vendor, model) : vendor.languageModel(model, withBody(this.options.fetch, config.body));
    const whole = options.onText === undefined || (vendor.wholeJson === true && request.output !== undefined);
    if (!whole) return readStream(languageModel, call, options, vendor, keep);

    const direct = config.body === null ? this.directModelOf(vendor, model) : null;
    const result = await (direct === null ? languageModel.doGenerate(call) : callDirectly(direct, this.options.fetch, call));
    const isVoid = vendor.isVoid?.(result.response?.body) ?? false;
    const text = result.content.map((part) => (part.type === "text" ? part.text : "")).join("");
    const answerText = wellFormedText(request.output === undefined ? text : (result.structuredOutputText ?? text));
    keep({
      text: answerText,
      finishReason: isVoid ? { unified: "other", raw: result.finishReason.raw } : result.finishReason,
      usage: result.usage,
      responseModel: vendor.responseModel?.(result.response?.body) ?? result.response?.modelId ?? null,
      responseId: result.response?.id ?? null,
      timeToFirstTokenMs: null,
      warnings: result.warnings.map(describeWarning),
      pauseMs: rateLimitPauseMs(result.response?.headers, Date.now()),
    });
    if (answerText !== "") options.onText?.(answerText);
  }

  private modelOf(vendor: Vendor, name: string): LanguageModelV4 {
    let model = this.models.get(name);
    if (model === undefined) {
      model = vendor.languageModel(name, this.options.fetch);
      this.models.set(name, model);
    }
    return model;
  }

  private directModelOf(vendor: Vendor, name: string): DirectModel | null {
    if (vendor.directModel === undefined) return null;
    let model = this.directModels.get(name);
    if (model === undefined) {
      model = vendor.directModel(name, this.options.fetch);
      this.directModels.set(name, model);
    }
    return model;
  }

  private withheld(): ModelCallError {
    const message = `Provider "${this.options.name}" withheld the answer for its content. Change the prompt or the input.`;
    return new ModelCallError("content-filtered", message);
  }

  /** An answer that does not count as one becomes an error, with its bill. */
  private judge(answer: RawAnswer, request: ModelRequest): ModelAnswer {
    const who = `Provider "${this.options.name}"`;
    const reason = answer.finishReason.unified;
    if (reason === "content-filter") throw this.withheld();
    if (reason === "error") throw new ModelCallError("provider-error", `${who} broke the answer off with an error.`);
    if (reason === "interrupted")
      throw new ModelCallError("stream-interrupted", `${who} ended the answer without saying that it is complete.`);
    if (reason === "other" && answer.text === "") throw new ModelCallError("bad-answer", `${who} sent an answer without content.`);
    return {
      text: request.output === undefined ? answer.text : answer.text.trim(),
      finishReason: reason,
      usage: convertUsage(answer.usage),
      rawUsage: rawUsageOf(answer.usage),
      responseModel: answer.responseModel,
      responseId: answer.responseId,
      timeToFirstTokenMs: answer.timeToFirstTokenMs,
      ...(answer.warnings.length > 0 ? { warnings: answer.warnings } : {}),
      ...(answer.pauseMs === undefined ? {} : { pauseMs: answer.pauseMs }),
    };
  }
}

/** The answer that a library could not make sense of. */
function unreadableAnswer(error: unknown): unknown {
  if (!APICallError.isInstance(error) || error.responseBody === undefined) return null;
  try {
    return JSON.parse(error.responseBody);
  } catch {
    return null;
  }
}

/** Adds the author's own fields to the request's body. */
function withBody(fetch: HttpFetch, fields: { [name: string]: Json }): HttpFetch {
  return (input, init) => fetch(input, { ...init, body: JSON.stringify({ ...(JSON.parse(String(init?.body)) as object), ...fields }) });
}
