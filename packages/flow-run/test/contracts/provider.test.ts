import { readFileSync } from "node:fs";
import type { TokenUsage } from "@flow-run/spec";
import { type Answer, answerCut, answerStalled, answerWith, startFakeServer } from "../../src/model/__fixtures__/fake-server.ts";
import { createHttpAgent, createProviders } from "../../src/model/index.ts";
import { CANARY_KEY, type ProviderUnderTest, providerContract, SCENE_RETRY_AFTER_MS, type Scene, type Skips } from "./provider.contract.ts";

const FIXTURES = new URL("../../src/model/providers/__fixtures__/", import.meta.url);
const JSON_TYPE = "application/json";
const SSE_TYPE = "text/event-stream; charset=utf-8";
const MAX_ANSWER_BYTES = 256 * 1024;

function fixture(vendor: string, file: string): string {
  return readFileSync(new URL(`${vendor}/${file}`, FIXTURES), "utf8");
}

/** The vendor's recorded answer for a scene, or the fault of the wire that the scene is about. */
function answerFor(vendor: string, scene: Scene, streamed: boolean): Answer {
  const error = (status: number, headers = {}) =>
    answerWith(status, JSON_TYPE, fixture(vendor, `error-${status === 529 || status === 503 ? 500 : status}.json`), headers);
  const whole = (file: string) => answerWith(200, JSON_TYPE, fixture(vendor, `${file}.json`));
  const stream = (text: string) => answerWith(200, SSE_TYPE, text);
  const text = streamed ? fixture(vendor, "text.sse") : fixture(vendor, "text.json");
  const type = streamed ? SSE_TYPE : JSON_TYPE;
  const half = text.slice(0, text.indexOf("billing"));
  switch (scene) {
    case "rate-limited":
      return error(429, { "retry-after": String(SCENE_RETRY_AFTER_MS / 1000) });
    case "server-error":
      return error(vendor === "anthropic" ? 529 : 503);
    case "rejected":
      return error(400);
    case "not-found":
      return error(404);
    case "unauthorized":
      return error(401);
    case "garbage":
      return answerWith(200, type, streamed ? 'data: {"foo":\n\n' : '{"foo":');
    case "html":
      return answerWith(200, "text/html", "<html><body>Welcome</body></html>");
    case "nothing":
      return answerWith(200, type, "");
    case "cut":
      return answerCut(type, half);
    case "silence":
      return answerStalled();
    case "stall":
      // A whole event, so that some text has arrived.
      return answerStalled(type, streamed ? half.slice(0, half.lastIndexOf("\n\n") + 2) : half);
    case "error-in-stream":
      return stream(fixture(vendor, "error-in-stream.sse"));
    case "endless":
      return (_, response) => {
        response.writeHead(200, { "content-type": type });
        const more = () => {
          while (!response.destroyed && response.write(streamed ? ": nothing\n\n".repeat(100) : " ".repeat(1000)));
          if (!response.destroyed) response.once("drain", more);
        };
        more();
      };
    case "nul-and-surrogates":
      return streamed
        ? stream(
            fixture(vendor, "text.sse")
              .replaceAll("The ticket is about ", "a\\u0000b\\ud83dc")
              .replace(/"billing – a refund "/g, '""')
              .replace(/"✓ 😀"/g, '""')
              .replaceAll("billing – a refund ✓ 😀", ""),
          )
        : answerWith(200, JSON_TYPE, fixture(vendor, "text.json").replace(/The ticket is about [^"]*/, "a\\u0000b\\ud83dc"));
    case "no-usage":
      return streamed ? stream(withoutUsage(text)) : whole(scene);
    case "absurd-usage":
      return streamed ? stream(withAbsurdUsage(text)) : whole(scene);
    case "filtered":
    case "empty":
      return streamed ? stream(streamWithoutAnswer(vendor, scene)) : whole(scene);
    default:
      return streamed ? stream(fixture(vendor, `${scene}.sse`)) : whole(scene);
  }
}

function withoutUsage(sse: string): string {
  return sse.replace(/,"(?:usage|usageMetadata)":\{(?:[^{}]|\{[^{}]*\})*\}/g, "");
}

function withAbsurdUsage(sse: string): string {
  return sse.replace(/"(prompt_tokens|input_tokens|promptTokenCount)":\d+/g, '"$1":-120');
}

/** What the vendors stream when they withhold an answer, or have none. */
function streamWithoutAnswer(vendor: string, scene: "filtered" | "empty"): string {
  const body = () => JSON.stringify(JSON.parse(fixture(vendor, `${scene}.json`)));
  switch (vendor) {
    case "google":
      return `data: ${body()}\n\n`;
    case "anthropic": {
      const events = fixture(vendor, "text.sse").split("\n\n");
      if (scene === "filtered") return events.join("\n\n").replace("end_turn", "refusal");
      return events
        .filter((event) => /message_(start|stop)/.test(event))
        .join("\n\n")
        .concat("\n\n");
    }
    case "openai-responses":
    case "azure-responses":
      return fixture(vendor, "length.sse").replaceAll('max_output_tokens"}', 'content_filter"}');
    default:
      return `data: ${body().replace('"message":{', '"delta":{')}\n\ndata: [DONE]\n\n`;
  }
}

const TEXT: TokenUsage = { inputTokens: 120, outputTokens: 30, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
const CACHED: TokenUsage = { ...TEXT, cacheReadTokens: 1_000 };
const REASONING: TokenUsage = { ...TEXT, reasoningTokens: 100 };

interface Wire {
  vendor: string;
  type: string;
  model: string;
  path: string;
  settings?: { [name: string]: string };
  cached?: TokenUsage;
  /** Scenes that the vendor answers whole also when a stream was asked for. */
  whole?: Scene[];
  skips?: Skips;
}

const NOT_STREAMED = "an error in the middle exists only in streams";

const EMPTY_STREAM = "a stream that completes without output is an empty text";

const WIRES: Wire[] = [
  {
    vendor: "openai-responses",
    type: "openai",
    model: "gpt-5-mini",
    path: "/v1",
    skips: { "empty streamed": EMPTY_STREAM },
  },
  { vendor: "openai-chat", type: "openai", model: "gpt-5-mini", path: "/v1", settings: { api: "chat" } },
  {
    vendor: "anthropic",
    type: "anthropic",
    model: "claude-haiku-4-5",
    path: "/v1",
    cached: { ...CACHED, cacheWriteTokens: 200 },
    skips: { "no-usage": "a message without usage is not in Anthropic's format and counts as a bad answer" },
  },
  { vendor: "google", type: "google", model: "gemini-2.5-flash", path: "/v1beta" },
  { vendor: "openai-compatible", type: "openai-compatible", model: "qwen3:8b", path: "/v1" },
  {
    vendor: "mistral",
    type: "mistral",
    model: "mistral-small-latest",
    path: "/v1",
    skips: {
      "no-usage whole": "an answer without usage is not in Mistral's format and counts as a bad answer",
      filtered: "Mistral has no way to withhold an answer for its content",
    },
  },
  // A streamed answer cannot be JSON there, so it is asked for whole.
  { vendor: "groq", type: "groq", model: "openai/gpt-oss-120b", path: "/openai/v1", whole: ["structured"] },
  { vendor: "azure-responses", type: "azure", model: "support-deployment", path: "/openai/v1", skips: { "empty streamed": EMPTY_STREAM } },
  { vendor: "azure-chat", type: "azure", model: "support-deployment", path: "/openai/v1", settings: { api: "chat" } },
];

for (const wire of WIRES) {
  providerContract(
    wire.vendor,
    async (): Promise<ProviderUnderTest> => {
      const server = await startFakeServer();
      const httpAgent = await createHttpAgent();
      const providers = createProviders({
        providers: {
          it: { type: wire.type, settings: { baseUrl: server.origin + wire.path, apiKey: "${{ secrets.KEY }}", ...wire.settings } },
        },
        secret: (name) => (name === "KEY" ? CANARY_KEY : undefined),
        httpAgent,
        maxAnswerBytes: MAX_ANSWER_BYTES,
      });
      return {
        provider: providers.get("it"),
        model: wire.model,
        play: (scene, streamed) => server.answers(answerFor(wire.vendor, scene, streamed && !wire.whole?.includes(scene))),
        usage: { text: TEXT, cached: wire.cached ?? CACHED, reasoning: REASONING },
        async close() {
          await httpAgent.destroy();
          await server.close();
        },
      };
    },
    { "error-in-stream whole": NOT_STREAMED, ...wire.skips },
  );
}
