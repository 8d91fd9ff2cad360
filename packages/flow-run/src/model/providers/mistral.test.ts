import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLOSED_SCHEMA, openVendorLab, type VendorLab } from "../__fixtures__/vendor-lab.ts";

describe("mistral", () => {
  let lab: VendorLab;
  beforeAll(async () => {
    lab = await openVendorLab("mistral", "mistral", (origin) => ({ baseUrl: `${origin}/v1`, apiKey: "k" }));
  });
  afterAll(() => lab.close());

  it("names the model that answered, and keeps the vendor's own usage", async () => {
    const { answer } = await lab.ask(lab.recorded("reasoning.sse"), { onText: () => {} });
    expect(answer).toMatchObject({ responseModel: "mistral-small-2506", responseId: "5f1c0d9e01" });
    expect(answer.rawUsage).toMatchObject({ completion_tokens: 130, completion_tokens_details: { reasoning_tokens: 100 } });
  });

  it("takes its own options", async () => {
    const config = { safePrompt: true, reasoningEffort: "high", seed: 7, stopSequences: ["END"] };
    const { sent } = await lab.ask(lab.recorded("text.json"), { model: "mistral-medium-3-5", request: { config } });
    expect(sent.body).toMatchObject({ safe_prompt: true, reasoning_effort: "high", random_seed: 7, stop: ["END"] });
  });

  it("is held to a schema that can be followed to the letter", async () => {
    const strict = async (schema: object) => {
      const { sent } = await lab.ask(lab.recorded("structured.json"), { request: { output: { schema: schema as never } } });
      return (sent.body.response_format as { json_schema: { strict: boolean } }).json_schema.strict;
    };
    expect(await strict(CLOSED_SCHEMA)).toBe(true);
    expect(await strict({ ...CLOSED_SCHEMA, required: ["category"] })).toBe(false);
  });

  it("gets the schema in the prompt when told so", async () => {
    const { sent } = await lab.ask(lab.recorded("structured.json"), {
      settings: { structuredOutputs: false },
      request: { output: { schema: CLOSED_SCHEMA } },
    });
    expect(sent.body.response_format).toEqual({ type: "json_object" });
    expect(JSON.stringify(sent.body.messages)).toContain("additionalProperties");
  });

  it("says which field of a request it does not take", async () => {
    const error = await lab.failure(lab.recorded("error-422.json", 422));
    expect(error).toMatchObject({ code: "provider-rejected", retryable: false, fallsBack: false });
    expect(error.message).toBe('Provider "it" rejected the request (422): body.stop_token: Extra inputs are not permitted');
  });

  it("lets another target serve a model that it does not have", async () => {
    expect(await lab.failure(lab.recorded("error-model.json", 400))).toMatchObject({ code: "provider-rejected", fallsBack: true });
  });

  it("is not sent what it cannot read", async () => {
    const media = { url: "data:audio/wav;base64,UklGRg==" };
    const error = await lab.failure(lab.recorded("text.json"), { request: { messages: [{ role: "user", content: [{ media }] }] } });
    expect(error).toMatchObject({ code: "provider-rejected", retryable: false, fallsBack: true });
    expect(error.message).toMatch(/does not take .*PDF/);
    expect(lab.server.requests).toEqual([]);
  });
});
