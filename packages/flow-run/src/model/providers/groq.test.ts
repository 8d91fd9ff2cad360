import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLOSED_SCHEMA, openVendorLab, type VendorLab } from "../__fixtures__/vendor-lab.ts";

const STRICT_MODEL = "openai/gpt-oss-120b";
const LOOSE_MODEL = "meta-llama/llama-4-scout-17b-16e-instruct";
const PROMPTED_MODEL = "llama-3.3-70b-versatile";

describe("groq", () => {
  let lab: VendorLab;
  beforeAll(async () => {
    lab = await openVendorLab("groq", "groq", (origin) => ({ baseUrl: `${origin}/openai/v1`, apiKey: "k" }));
  });
  afterAll(() => lab.close());

  it("names the model that answered, and keeps the vendor's own usage", async () => {
    for (const file of ["text.json", "text.sse"]) {
      const { answer } = await lab.ask(lab.recorded(file), file === "text.sse" ? { onText: () => {} } : {});
      expect(answer).toMatchObject({ responseModel: STRICT_MODEL, rawUsage: { prompt_tokens: 120, completion_tokens: 30 } });
    }
  });

  it("takes its own options", async () => {
    const config = { reasoningEffort: "low", reasoningFormat: "hidden", serviceTier: "flex" };
    const { sent } = await lab.ask(lab.recorded("text.json"), { model: STRICT_MODEL, request: { config } });
    expect(sent.body).toMatchObject({ reasoning_effort: "low", reasoning_format: "hidden", service_tier: "flex" });
  });

  it.each([
    [STRICT_MODEL, {}, { type: "json_schema", json_schema: { strict: true } }],
    [LOOSE_MODEL, {}, { type: "json_schema", json_schema: { strict: false } }],
    [PROMPTED_MODEL, {}, { type: "json_object" }],
    [PROMPTED_MODEL, { structuredOutputs: true }, { type: "json_schema" }],
    [STRICT_MODEL, { structuredOutputs: false }, { type: "json_object" }],
  ])("sends a schema to models that take one, and writes it into the prompt of others (%s, %j)", async (model, settings, format) => {
    const { sent } = await lab.ask(lab.recorded("structured.json"), { model, settings, request: { output: { schema: CLOSED_SCHEMA } } });
    expect(sent.body.response_format).toMatchObject(format);
    expect(JSON.stringify(sent.body.messages).includes("additionalProperties")).toBe(format.type === "json_object");
  });

  it("is asked for JSON whole, and hands it over in one piece, because it streams none", async () => {
    const pieces: string[] = [];
    const { answer, sent } = await lab.ask(lab.recorded("structured.json"), {
      model: STRICT_MODEL,
      request: { output: { schema: CLOSED_SCHEMA } },
      onText: (text) => pieces.push(text),
    });
    expect(sent.body).not.toHaveProperty("stream");
    expect(pieces).toEqual([answer.text]);
    expect(JSON.parse(answer.text)).toEqual({ category: "billing", urgent: true });
  });

  it("may be asked again when it was its model that did not keep to JSON", async () => {
    const error = await lab.failure(lab.recorded("error-json.json", 400));
    expect(error).toMatchObject({ code: "bad-answer", retryable: true, statusCode: 400 });
    expect(error.message).not.toContain("billing");
  });

  it("limits the rate also in the middle of a stream", async () => {
    expect(await lab.failure(lab.recorded("error-limit-in-stream.sse"), { onText: () => {} })).toMatchObject({
      code: "rate-limited",
      retryable: true,
      statusCode: 429,
    });
  });

  it("may be asked again when a tier is full (498)", async () => {
    expect(await lab.failure(lab.recorded("error-500.json", 498))).toMatchObject({ code: "provider-error", retryable: true });
  });
});
