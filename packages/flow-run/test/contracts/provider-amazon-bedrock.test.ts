import { readFileSync } from "node:fs";
import type { TokenUsage } from "@flow-run/spec";
import { eventStream, type StreamEvent } from "../../src/model/__fixtures__/event-stream.ts";
import { type Answer, answerCut, answerStalled, answerWith, startFakeServer } from "../../src/model/__fixtures__/fake-server.ts";
import { createHttpAgent, createProviders } from "../../src/model/index.ts";
import { CANARY_KEY, type ProviderUnderTest, providerContract, SCENE_RETRY_AFTER_MS, type Scene } from "./provider.contract.ts";

const FIXTURES = new URL("../../src/model/providers/__fixtures__/amazon-bedrock/", import.meta.url);
const JSON_TYPE = "application/json";
const STREAM_TYPE = "application/vnd.amazon.eventstream";
const MAX_ANSWER_BYTES = 256 * 1024;
const HEAD = { "x-amzn-requestid": "0d1f6c1e-0001" };

const fixture = (file: string): string => readFileSync(new URL(file, FIXTURES), "utf8");
const events = (name: string): StreamEvent[] => JSON.parse(fixture(`${name}.events.json`)) as StreamEvent[];
const whole = (name: string): Answer => answerWith(200, JSON_TYPE, fixture(`${name}.json`), HEAD);
const stream = (list: readonly StreamEvent[]): Answer => answerWith(200, STREAM_TYPE, eventStream(list), HEAD);
const refusal = (status: number, type: string, headers = {}): Answer =>
  answerWith(status, JSON_TYPE, fixture(`error-${status}.json`), { ...HEAD, "x-amzn-errortype": type, ...headers });

function answerFor(scene: Scene, streamed: boolean): Answer {
  const type = streamed ? STREAM_TYPE : JSON_TYPE;
  const text = streamed ? eventStream(events("text")) : Buffer.from(fixture("text.json"));
  switch (scene) {
    case "rate-limited":
      return refusal(429, "ThrottlingException", { "retry-after": String(SCENE_RETRY_AFTER_MS / 1000) });
    case "server-error":
      return refusal(503, "ServiceUnavailableException");
    case "rejected":
      return refusal(400, "ValidationException");
    case "not-found":
      return refusal(404, "ResourceNotFoundException");
    case "unauthorized":
      return refusal(403, "UnrecognizedClientException");
    case "garbage":
      return answerWith(200, type, '{"foo":');
    case "html":
      return answerWith(200, "text/html", "<html><body>Welcome</body></html>");
    case "nothing":
      return answerWith(200, type, "");
    case "cut":
      return answerCut(type, text.subarray(0, text.indexOf("billing")));
    case "silence":
      return answerStalled();
    case "stall":
      return answerStalled(type, streamed ? eventStream(events("text").slice(0, 2)) : text.subarray(0, 40));
    case "error-in-stream":
      return stream([
        ...events("text").slice(0, 2),
        { exception: "modelStreamErrorException", payload: { message: "The model stopped.", originalStatusCode: 500 } },
      ]);
    case "endless":
      return (_, response) => {
        response.writeHead(200, { "content-type": type });
        const padding = streamed ? eventStream([{ event: "messageStart", payload: { role: "assistant" } }]) : Buffer.alloc(1000, " ");
        const more = () => {
          while (!response.destroyed && response.write(padding));
          if (!response.destroyed) response.once("drain", more);
        };
        more();
      };
    case "nul-and-surrogates": {
      const spoilt = "a\\u0000b\\ud83dc";
      if (!streamed) return answerWith(200, JSON_TYPE, fixture("text.json").replace(/The ticket is about [^"]*/, spoilt), HEAD);
      const [start, , , , ...rest] = events("text");
      return stream([start!, { event: "contentBlockDelta", payload: `{"contentBlockIndex":0,"delta":{"text":"${spoilt}"}}` }, ...rest]);
    }
    case "no-usage":
      return stream(events("text").filter(({ event }) => event !== "metadata"));
    case "absurd-usage":
      if (!streamed) return whole(scene);
      return stream([
        ...events("text").slice(0, -1),
        { event: "metadata", payload: { usage: { inputTokens: -120, outputTokens: 30, totalTokens: 150 } } },
      ]);
    case "empty":
      return streamed ? stream(events("text").slice(0, 1)) : answerWith(200, JSON_TYPE, '{"output":{},"stopReason":"end_turn"}', HEAD);
    default:
      return streamed ? stream(events(scene)) : whole(scene);
  }
}

const TEXT: TokenUsage = { inputTokens: 120, outputTokens: 30, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };

for (const [how, credentials] of [
  ["signed", { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "${{ secrets.KEY }}", sessionToken: "${{ secrets.KEY }}" }],
  ["with a bearer token", { apiKey: "${{ secrets.KEY }}" }],
] as const) {
  providerContract(
    `amazon-bedrock, ${how}`,
    async (): Promise<ProviderUnderTest> => {
      const server = await startFakeServer();
      const httpAgent = await createHttpAgent();
      const providers = createProviders({
        providers: { it: { type: "amazon-bedrock", settings: { baseUrl: server.origin, region: "us-east-1", ...credentials } } },
        secret: (name) => (name === "KEY" ? CANARY_KEY : undefined),
        httpAgent,
        maxAnswerBytes: MAX_ANSWER_BYTES,
      });
      return {
        provider: providers.get("it"),
        model: "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        play: (scene, streamed) => server.answers(answerFor(scene, streamed)),
        usage: {
          text: TEXT,
          cached: { ...TEXT, cacheReadTokens: 1_000, cacheWriteTokens: 200 },
          // Converse counts reasoning among the output and does not say how much of it.
          reasoning: { ...TEXT, outputTokens: 130 },
        },
        refusedKeyStatus: 403,
        async close() {
          await httpAgent.destroy();
          await server.close();
        },
      };
    },
    {
      "error-in-stream whole": "an error in the middle exists only in streams",
      "no-usage whole": "an answer without usage is not in Converse's format and counts as a bad answer",
    },
  );
}
