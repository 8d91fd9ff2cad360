import { readFileSync } from "node:fs";
import type { Json } from "@flow-run/spec";
import { MockAgent } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventStream, type StreamEvent } from "../__fixtures__/event-stream.ts";
import { type Answer, answerWith } from "../__fixtures__/fake-server.ts";
import { CLOSED_SCHEMA, openVendorLab, type VendorLab } from "../__fixtures__/vendor-lab.ts";
import { expectedAuthorization } from "../__fixtures__/verify-sigv4.ts";
import { createProviders } from "./create-providers.ts";

const CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const LLAMA = "meta.llama3-3-70b-instruct-v1:0";
const PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
const ACCESS = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret/of+the=key" };
const ON_TEXT = { model: CLAUDE, onText: () => {} };

const events = (name: string): StreamEvent[] =>
  JSON.parse(readFileSync(new URL(`./__fixtures__/amazon-bedrock/${name}.events.json`, import.meta.url), "utf8")) as StreamEvent[];
const streamed = (bytes: Buffer): Answer =>
  answerWith(200, "application/vnd.amazon.eventstream", bytes, { "x-amzn-requestid": "request-1" });

describe("amazon-bedrock", () => {
  let lab: VendorLab;
  beforeAll(async () => {
    lab = await openVendorLab("amazon-bedrock", "amazon-bedrock", (origin) => ({ baseUrl: origin, region: "eu-west-1", ...ACCESS }));
  });
  afterAll(() => lab.close());

  describe("a request", () => {
    it.each([
      ["a Claude", CLAUDE, `/model/${encodeURIComponent(CLAUDE)}/converse`],
      ["an inference profile", PROFILE, `/model/${encodeURIComponent(PROFILE)}/converse`],
    ])("is signed as AWS would sign it, to %s", async (_, model, path) => {
      const request = { config: { temperature: 0.5, brand_new_setting: { level: 3 } } };
      const { sent } = await lab.ask(lab.recorded("text.json"), { model, settings: { sessionToken: "token-1" }, request });
      expect(sent.path).toBe(path);
      expect(sent.headers["x-amz-security-token"]).toBe("token-1");
      expect(sent.headers.authorization).toContain("x-amz-security-token");
      expect(sent.headers.authorization).toBe(expectedAuthorization(sent, { ...ACCESS, region: "eu-west-1" }));
      // A setting that only the vendor knows is signed with the rest.
      expect(sent.body).toMatchObject({ inferenceConfig: { temperature: 0.5 }, brand_new_setting: { level: 3 } });
    });

    it("carries an API key as a bearer token, which wins over an access key", async () => {
      const { sent } = await lab.ask(lab.recorded("text.json"), { model: CLAUDE, settings: { apiKey: "bedrock-key" } });
      expect(sent.headers.authorization).toBe("Bearer bedrock-key");
      expect(sent.headers).not.toHaveProperty("x-amz-date");
    });

    it("gives the system's words apart from the others", async () => {
      const { sent } = await lab.ask(lab.recorded("text.json"), {
        model: CLAUDE,
        request: {
          messages: [
            { role: "system", content: [{ text: "Be brief." }] },
            { role: "user", content: [{ text: "hi" }] },
            { role: "system", content: [{ text: "late" }] },
          ],
        },
      });
      expect(sent.body).toMatchObject({
        system: [{ text: "Be brief." }],
        messages: [{ role: "user", content: [{ text: "hi" }, { text: "late" }] }],
      });
    });

    it("takes its own options", async () => {
      const config = { serviceTier: "flex", additionalModelRequestFields: { top_k: 5 } };
      const { sent } = await lab.ask(lab.recorded("text.json"), { model: LLAMA, request: { config } });
      expect(sent.body).toMatchObject({ serviceTier: { type: "flex" }, additionalModelRequestFields: { top_k: 5 } });
    });

    it.each([
      [CLAUDE, {}, true],
      ["eu.amazon.nova-pro-v1:0", {}, true],
      [PROFILE, { modelFamily: "anthropic" }, true],
      [LLAMA, { structuredOutputs: true }, true],
      [LLAMA, {}, false],
      [PROFILE, {}, false],
      [CLAUDE, { structuredOutputs: false }, false],
    ])(
      "sends a schema to models that can be held to one, and writes it into the prompt of others (%s, %j)",
      async (model, settings: {
        [name: string]: Json;
      }, sends) => {
        const { sent } = await lab.ask(lab.recorded("text.json"), { model, settings, request: { output: { schema: CLOSED_SCHEMA } } });
        const fields = JSON.stringify([sent.body.toolConfig, sent.body.additionalModelRequestFields]);
        expect(fields.includes("additionalProperties")).toBe(sends);
        expect(JSON.stringify(sent.body.system ?? []).includes("additionalProperties")).toBe(!sends);
      },
    );

    it("is not sent with an image that Bedrock would have to fetch", async () => {
      const media = { url: "https://example.com/cat.png" };
      const error = await lab.failure(lab.recorded("text.json"), {
        model: CLAUDE,
        request: { messages: [{ role: "user", content: [{ media }] }] },
      });
      expect(error).toMatchObject({ code: "provider-rejected", retryable: false, fallsBack: true });
      expect(lab.server.requests).toEqual([]);
    });

    it.each([
      ["us-east-1", "https://bedrock-runtime.us-east-1.amazonaws.com"],
      ["cn-north-1", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"],
      ["us-gov-west-1", "https://bedrock-runtime.us-gov-west-1.amazonaws.com"],
      ["eusc-de-east-1", "https://bedrock-runtime.eusc-de-east-1.amazonaws.eu"],
    ])("goes to the region's own address (%s)", async (region, origin) => {
      const agent = new MockAgent();
      agent.disableNetConnect();
      agent
        .get(origin)
        .intercept({ method: "POST", path: () => true })
        .reply(404, "{}");
      const providers = createProviders({
        providers: { it: { type: "amazon-bedrock", settings: { region, ...ACCESS } } },
        secret: () => undefined,
        httpAgent: agent,
      });
      const request = { messages: [{ role: "user" as const, content: [{ text: "hi" }] }], config: {} };
      const signal = new AbortController().signal;
      await expect(providers.get("it").call(CLAUDE, request, { signal })).rejects.toMatchObject({ statusCode: 404 });
      await agent.close();
    });
  });

  describe("a stream", () => {
    it("is read however its frames are cut into pieces", async () => {
      const bytes = eventStream(events("text"));
      const drip: Answer = (_, response) => {
        response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
        const send = (at: number) => {
          if (at >= bytes.length) response.end();
          else response.write(bytes.subarray(at, at + 7), () => setImmediate(send, at + 7));
        };
        send(0);
      };
      const pieces: string[] = [];
      const { answer } = await lab.ask(drip, { model: CLAUDE, onText: (text) => pieces.push(text) });
      expect(answer).toMatchObject({ text: "The ticket is about billing – a refund ✓ 😀", finishReason: "stop", responseModel: CLAUDE });
      expect(pieces).toHaveLength(3);
    });

    it("is a bad answer when a checksum is wrong", async () => {
      const bytes = eventStream(events("text"));
      const at = bytes.indexOf("billing");
      bytes[at] = bytes[at]! ^ 1;
      expect(await lab.failure(streamed(bytes), ON_TEXT)).toMatchObject({ code: "bad-answer", retryable: true });
    });

    it("is a bad answer when it ends inside a frame", async () => {
      const bytes = eventStream(events("text"));
      expect(await lab.failure(streamed(bytes.subarray(0, bytes.indexOf("billing"))), ON_TEXT)).toMatchObject({ code: "bad-answer" });
    });

    it("is interrupted when it ends without saying why, and keeps its bill", async () => {
      const list = events("text").filter(({ event }) => event !== "messageStop");
      expect(await lab.failure(streamed(eventStream(list)), ON_TEXT)).toMatchObject({
        code: "stream-interrupted",
        retryable: true,
        usage: { inputTokens: 120, outputTokens: 30 },
      });
    });

    it.each([
      ["throttlingException", "rate-limited", true, 429],
      ["modelStreamErrorException", "provider-error", true, 424],
      ["internalServerException", "provider-error", true, 500],
      ["serviceUnavailableException", "provider-error", true, 503],
      ["validationException", "provider-rejected", false, 400],
    ])("that ends in a %s is %s", async (exception, code, retryable, statusCode) => {
      const list = [...events("text").slice(0, 2), { exception, payload: { message: "Something went wrong." } }];
      const error = await lab.failure(streamed(eventStream(list)), ON_TEXT);
      expect(error).toMatchObject({ code, retryable, statusCode });
      expect(error.message).toContain("Something went wrong.");
    });

    it("that ends in an error which the library does not know is interrupted", async () => {
      const list = [...events("text").slice(0, 2), { error: "InternalFailure", payload: {} }];
      expect(await lab.failure(streamed(eventStream(list)), ON_TEXT)).toMatchObject({ code: "stream-interrupted", retryable: true });
    });
  });

  describe("a refusal", () => {
    it.each([
      [400, "error-model.json", "ValidationException", "provider-rejected", false, true],
      [403, "error-403.json", "AccessDeniedException", "unauthorized", false, true],
      [408, "error-503.json", "ModelTimeoutException", "provider-timeout", true, true],
      [424, "error-424.json", "ModelErrorException", "provider-error", true, true],
      [429, "error-429.json", "ThrottlingException", "rate-limited", true, true],
      [429, "error-503.json", "ModelNotReadyException", "rate-limited", true, true],
    ])("with %i (%s, %s) is %s", async (status, file, type, code, retryable, fallsBack) => {
      const answer = lab.recorded(file, status, { "x-amzn-errortype": type });
      expect(await lab.failure(answer, { model: CLAUDE })).toMatchObject({ code, retryable, fallsBack, statusCode: status });
    });

    it("does not show a key that it quotes", async () => {
      const said = JSON.stringify({ message: `Bad request of ${ACCESS.accessKeyId} with ${ACCESS.secretAccessKey}` });
      const error = await lab.failure(answerWith(400, "application/json", said), { model: CLAUDE });
      expect(error.message).toBe('Provider "it" rejected the request (400): Bad request of … with …');
    });
  });
});
