import type { Json, Run } from "@flow-run/spec";
import { describe, expect } from "vitest";
import { type Installation, test } from "../support/installation.ts";

const TIMEOUT = { timeout: 180_000 };

/** A provider of the project below, and the protocol that it speaks. */
const TARGETS = {
  openai: "openai-responses",
  claude: "anthropic",
  google: "google",
  local: "openai-chat",
} as const;

const MODEL_LINE = (target: string) => `  fast: { use: ${target}/one-model, price: { input: 0.25, output: 2.00, cacheRead: 0.025 } }\n`;

const PROJECT_FILE = (target: string) => `name: swap
providers:
  openai: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none }
  claude: { type: anthropic, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none }
  google: { type: google, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1beta", apiKey: none }
  local: { type: openai-compatible, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1" }
models:
${MODEL_LINE(target)}`;

/** The structured prompt is asked first and answered slowly: whoever wants to read the text along is there when it comes. */
const FILES = {
  "flow-run.yaml": PROJECT_FILE("openai"),
  "prompts/sort.prompt": `---
model: fast
config: { temperature: 0, maxOutputTokens: 200 }
input: { schema: { ticket: string } }
output: { format: json, schema: { category(enum): [billing, bug, other], urgent: boolean, questions(array): string } }
---
{{role "system"}}You sort tickets.
{{role "user"}}{{ticket}}
`,
  "prompts/tell.prompt": `---
model: fast
config: { temperature: 0, maxOutputTokens: 200 }
input: { schema: { ticket: string, category: string } }
---
{{role "system"}}You answer tickets.
{{role "user"}}A {{category}} ticket: {{ticket}}
`,
  "flows/both.yaml": `input: { ticket: string }
steps:
  - { id: sort, run: sort, with: { ticket: "\${{ input.ticket }}" } }
  - { id: tell, run: tell, with: { ticket: "\${{ input.ticket }}", category: "\${{ steps.sort.output.category }}" } }
output: { sorted: "\${{ steps.sort.output }}", told: "\${{ steps.tell.output }}" }
`,
};

const SORTED = { category: "billing", urgent: true, questions: ["Which sum is wrong?"] };
const TOLD = "Thank you. Which sum of the invoice is wrong?";

const SCRIPT: Json = {
  rules: [
    { when: { format: "json" }, answer: SORTED, latency: "1s", usage: { inputTokens: 120, outputTokens: 40, cacheReadTokens: 30 } },
    { when: { format: "text" }, answer: TOLD, usage: { inputTokens: 80, outputTokens: 25, cacheReadTokens: 0 } },
  ],
};

const TICKET = "My invoice of May is wrong. It is urgent.";

const USAGE = { inputTokens: 200, outputTokens: 65, cacheReadTokens: 30, cacheWriteTokens: 0, reasoningTokens: 0, calls: 2, cacheHits: 0 };
/** What must come out, whoever answers. */
const EXPECTED = {
  status: "succeeded",
  output: { sorted: SORTED, told: TOLD },
  usage: USAGE,
  costUsd: (200 * 0.25 + 65 * 2 + 30 * 0.025) / 1e6,
};

/** What the user sees of a run: what it said, used and cost. */
function seen(run: Run) {
  return { status: run.status, output: run.output, usage: run.usage, costUsd: run.costUsd };
}

async function protocolsSince(installation: Installation, count: number): Promise<string[]> {
  return (await installation.asked()).slice(count).map((request) => request.protocol);
}

describe.concurrent("an LLM is swapped in one line", TIMEOUT, () => {
  test("on the command line, for a run here and now: another protocol, the same output, usage and cost", async ({ install }) => {
    const installation = await install({ database: "pglite", files: FILES, script: SCRIPT });
    for (const [target, protocol] of Object.entries(TARGETS)) {
      const before = (await installation.asked()).length;
      const args = ["run", "both", `ticket=${TICKET}`, "--project", installation.project, "--model", `fast=${target}/one-model`];
      const { code, stdout, stderr } = await installation.command([...args, "--json"]);
      expect(code, stderr).toBe(0);
      // The price in the project file is that of the model in the project file.
      expect(seen(JSON.parse(stdout) as Run), target).toEqual({ ...EXPECTED, costUsd: null });
      expect(await protocolsSince(installation, before)).toEqual([protocol, protocol]);
    }

    // Streamed to a terminal it is the same text.
    for (const target of Object.keys(TARGETS)) {
      const { stdout } = await installation.command([
        ...["run", "tell", `ticket=${TICKET}`, `category=${SORTED.category}`],
        ...["--project", installation.project, "--model", `fast=${target}/one-model`],
      ]);
      expect(stdout.trim(), target).toBe(TOLD);
    }
  });

  test("in the project file, for a server: read along or not, the same output, usage and cost as on any other", async ({ install }) => {
    const installation = await install({ database: "pglite", files: FILES, script: SCRIPT });
    await installation.startServer();
    for (const [target, protocol] of Object.entries(TARGETS)) {
      installation.writeProject({ "flow-run.yaml": PROJECT_FILE(target) });
      await installation.deploy();
      const before = (await installation.asked()).length;

      const unread = await installation.submit(`unread-${target}`, { ticket: TICKET }, "both");
      expect(seen(await installation.ended(unread)), target).toEqual(EXPECTED);
      expect(await firstTokens(installation, unread)).toEqual([null, null]);

      const { code, stdout, stderr } = await installation.command(["run", "both", `ticket=${TICKET}`, "--env", "dev", "--json"]);
      expect(code, stderr).toBe(0);
      const read = JSON.parse(stdout) as Run;
      expect(seen(read), target).toEqual(EXPECTED);
      expect(await firstTokens(installation, read.id)).toEqual([null, expect.any(Number)]);

      expect(await protocolsSince(installation, before)).toEqual([protocol, protocol, protocol, protocol]);
    }
  });
});

/** By step: after how many milliseconds the first text came; null for an answer that came whole. */
async function firstTokens(installation: Installation, id: string): Promise<(number | null)[]> {
  return (await installation.steps(id)).map((step) => step.attempts[0]!.timeToFirstTokenMs);
}
