import { readFileSync } from "node:fs";
import type { Json } from "@flow-run/spec";
import { createHttpAgent } from "../http/http-agent.ts";
import type { ModelAnswer, ModelRequest } from "../model.ts";
import type { ModelCallError } from "../model-call-error.ts";
import { createProviders } from "../providers/create-providers.ts";
import { type Answer, answerWith, type FakeServer, type ReceivedRequest, startFakeServer } from "./fake-server.ts";

export interface Question {
  settings?: { [name: string]: Json };
  model?: string;
  request?: Partial<ModelRequest>;
  onText?: (text: string) => void;
}

/** One vendor's provider before a server of the test's own. */
export interface VendorLab {
  server: FakeServer;
  /** The vendor's recorded answer of that name. */
  recorded(file: string, status?: number, headers?: { [name: string]: string }): Answer;
  ask(answer: Answer, question?: Question): Promise<{ answer: ModelAnswer; sent: ReceivedRequest & { body: { [field: string]: Json } } }>;
  failure(answer: Answer, question?: Question): Promise<ModelCallError>;
  close(): Promise<void>;
}

export async function openVendorLab(type: string, folder: string, settings: (origin: string) => { [name: string]: Json }): Promise<VendorLab> {
  const server = await startFakeServer();
  const httpAgent = await createHttpAgent();
  const lab: VendorLab = {
    server,
    recorded: (file, status = 200, headers = {}) =>
      answerWith(
        status,
        file.endsWith(".sse") ? "text/event-stream" : "application/json",
        readFileSync(new URL(`../providers/__fixtures__/${folder}/${file}`, import.meta.url)),
        headers,
      ),
    async ask(prepared, { settings: more = {}, model = "some-model", request = {}, onText } = {}) {
      server.requests.length = 0;
      server.answers(prepared);
      const providers = createProviders({
        providers: { it: { type, settings: { ...settings(server.origin), ...more } } },
        secret: () => undefined,
        httpAgent,
      });
      const whole: ModelRequest = { messages: [{ role: "user", content: [{ text: "hello" }] }], config: {}, ...request };
      const answer = await providers.get("it").call(model, whole, { signal: new AbortController().signal, ...(onText ? { onText } : {}) });
      return { answer, sent: server.requests[0] as ReceivedRequest & { body: { [field: string]: Json } } };
    },
    failure: (prepared, question) =>
      lab.ask(prepared, question).then(
        () => {
          throw new Error("it did not fail");
        },
        (error: ModelCallError) => error,
      ),
    async close() {
      await httpAgent.destroy();
      await server.close();
    },
  };
  return lab;
}

export const CLOSED_SCHEMA = {
  type: "object",
  properties: { category: { type: "string" }, urgent: { type: "boolean" } },
  required: ["category", "urgent"],
  additionalProperties: false,
};
