import { MockAgent } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLOSED_SCHEMA, openVendorLab, type VendorLab } from "../__fixtures__/vendor-lab.ts";
import { createProviders } from "./create-providers.ts";

describe("azure", () => {
  let lab: VendorLab;
  let chat: VendorLab;
  beforeAll(async () => {
    lab = await openVendorLab("azure", "azure-responses", (origin) => ({ baseUrl: `${origin}/openai/v1`, apiKey: "k" }));
    chat = await openVendorLab("azure", "azure-chat", (origin) => ({ baseUrl: `${origin}/openai`, apiKey: "k", apiVersion: "2024-10-21" }));
  });
  afterAll(async () => {
    await lab.close();
    await chat.close();
  });

  it("asks the deployment by name, with Azure's way to show the key", async () => {
    const { sent, answer } = await lab.ask(lab.recorded("text.json"), { model: "support-deployment" });
    expect(sent).toMatchObject({ path: "/openai/v1/responses", headers: { "api-key": "k" }, body: { model: "support-deployment" } });
    expect(sent.headers).not.toHaveProperty("authorization");
    expect(answer.responseModel).toBe("gpt-5-mini-2025-08-07");
  });

  it("speaks chat completions when told so", async () => {
    const { sent } = await lab.ask(chat.recorded("text.json"), { settings: { api: "chat" }, model: "support-deployment" });
    expect(sent).toMatchObject({ path: "/openai/v1/chat/completions", body: { model: "support-deployment" } });
  });

  it("speaks the older API, with the deployment in the address, to a version that is a date", async () => {
    const { sent, answer } = await chat.ask(chat.recorded("text.sse"), { model: "support-deployment", onText: () => {} });
    expect(sent.path).toBe("/openai/deployments/support-deployment/chat/completions?api-version=2024-10-21");
    expect(answer.responseModel).toBe("gpt-5-mini-2025-08-07");
  });

  it("keeps answers out of Azure's store unless told otherwise, and takes OpenAI's options", async () => {
    const { sent } = await lab.ask(lab.recorded("text.json"), { model: "gpt-5-mini", request: { config: { promptCacheKey: "p" } } });
    expect(sent.body).toMatchObject({ store: false, prompt_cache_key: "p" });
    expect((await lab.ask(lab.recorded("text.json"), { request: { config: { store: true } } })).sent.body.store).toBe(true);
    expect((await chat.ask(chat.recorded("text.json"), { request: { config: { user: "u-1" } } })).sent.body.user).toBe("u-1");
  });

  it("is held to a schema on both APIs", async () => {
    const request = { output: { schema: CLOSED_SCHEMA } };
    const responses = await lab.ask(lab.recorded("structured.json"), { request });
    expect(responses.sent.body.text).toMatchObject({ format: { type: "json_schema", strict: true } });
    const older = await chat.ask(chat.recorded("structured.json"), { request });
    expect(older.sent.body.response_format).toMatchObject({ type: "json_schema", json_schema: { strict: true } });
  });

  it("turns a prompt that its filter stops into content-filtered", async () => {
    for (const it of [lab, chat]) {
      expect(await it.failure(it.recorded("error-filtered.json", 400))).toMatchObject({ code: "content-filtered", fallsBack: false });
    }
  });

  it("turns a refusal into content-filtered, with the bill when it was streamed", async () => {
    expect(await lab.failure(lab.recorded("filtered.json"))).toMatchObject({ code: "content-filtered", retryable: false });
    const pieces: string[] = [];
    expect(await lab.failure(lab.recorded("refusal.sse"), { onText: (text) => pieces.push(text) })).toMatchObject({
      code: "content-filtered",
      usage: { inputTokens: 120, outputTokens: 30 },
    });
    expect(pieces).toEqual([]);
  });

  it("lets another target serve a deployment that is not there", async () => {
    const error = await lab.failure(lab.recorded("error-404.json", 404));
    expect(error).toMatchObject({ code: "provider-rejected", fallsBack: true });
    expect(error.message).toContain("deployment");
  });

  it.each([
    [{}, "https://mine.openai.azure.com", "/openai/v1/responses?api-version=v1"],
    [{ apiVersion: "preview" }, "https://mine.openai.azure.com", "/openai/v1/responses?api-version=preview"],
    [
      { apiVersion: "2025-01-01-preview" },
      "https://mine.openai.azure.com",
      "/openai/deployments/d1/chat/completions?api-version=2025-01-01-preview",
    ],
  ])("finds a resource by its name (%j)", async (settings, origin, path) => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    let seen = "";
    agent
      .get(origin)
      .intercept({ method: "POST", path: () => true })
      .reply((request) => {
        seen = request.path;
        return { statusCode: 404, data: "{}" };
      });
    const providers = createProviders({
      providers: { it: { type: "azure", settings: { resourceName: "mine", apiKey: "k", ...settings } } },
      secret: () => undefined,
      httpAgent: agent,
    });
    const request = { messages: [{ role: "user" as const, content: [{ text: "hi" }] }], config: {} };
    const signal = new AbortController().signal;
    await expect(providers.get("it").call("d1", request, { signal })).rejects.toMatchObject({ statusCode: 404 });
    expect(seen).toBe(path);
    await agent.close();
  });
});
