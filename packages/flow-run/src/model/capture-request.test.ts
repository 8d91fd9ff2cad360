import type { Json } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { captureRequest } from "./capture-request.ts";

const KEY = "canary-key";
const request = { messages: [{ role: "user" as const, content: [{ text: "hello" }] }], config: {} };
const apiKey = "${{ secrets.KEY }}";

describe("a captured request", () => {
  it.each<[string, { [name: string]: Json }, string]>([
    ["openai", { apiKey }, "https://api.openai.com/v1/responses"],
    ["anthropic", { apiKey }, "https://api.anthropic.com/v1/messages"],
    ["google", { apiKey }, "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"],
    ["mistral", { apiKey }, "https://api.mistral.ai/v1/chat/completions"],
    ["groq", { apiKey }, "https://api.groq.com/openai/v1/chat/completions"],
    ["azure", { apiKey, resourceName: "mine" }, "https://mine.openai.azure.com/openai/v1/responses?api-version=v1"],
    ["amazon-bedrock", { apiKey, region: "us-east-1" }, "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"],
    [
      "amazon-bedrock",
      { accessKeyId: "AKIAEXAMPLE", secretAccessKey: apiKey, sessionToken: apiKey, region: "us-east-1" },
      "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse",
    ],
  ])("shows what %s would be sent, and where, without the key", async (type, settings, url) => {
    const captured = await captureRequest({ provider: { type, settings }, secret: () => KEY, model: "m", request });
    expect(captured).toMatchObject({ method: "POST", url });
    expect(JSON.stringify(captured!.body)).toContain("hello");
    expect(JSON.stringify(captured)).not.toContain(KEY);
    expect(JSON.stringify(captured)).not.toContain("AKIAEXAMPLE");
    expect(Object.values(captured!.headers)).toContain("[left out]");
  });

  it("is none where nothing is sent", async () => {
    expect(await captureRequest({ provider: { type: "simulator", settings: {} }, secret: () => KEY, model: "m", request })).toBeNull();
  });
});
