import { LOAD_FLOWS } from "./flows.ts";

const PRICE = "price: { input: 0.25, output: 2.00, cacheRead: 0.025 }";

/** The project that is deployed, as its nth release has it: the version stands in every output. */
export function projectFiles(version: string): Record<string, string> {
  const flows = Object.entries(LOAD_FLOWS).map(([name, { yaml, output }]) => [
    `flows/${name}.yaml`,
    `${yaml}\noutput: { ${output}, version: ${version} }\n`,
  ]);
  return {
    "flow-run.yaml": `name: chaos
providers:
  sick: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none }
  well: { type: openai, baseUrl: "\${{ secrets.HEALTHY_SIMULATOR_URL }}/v1", apiKey: none }
models:
  default: { use: sick/gpt-5-mini, retries: 10, timeout: 3s, ${PRICE} }
  healthy: { use: well/gpt-5-mini, retries: 3, timeout: 10s, ${PRICE} }
`,
    "prompts/ask.prompt": "---\ninput: { schema: { task: string, text: string } }\n---\n{{task}}: {{text}}\n",
    "prompts/mark.prompt": "---\ninput: { schema: { text: string } }\noutput: { schema: { score: integer } }\n---\nRate {{text}}\n",
    "prompts/chirp.prompt": "---\nmodel: healthy\ninput: { schema: { text: string } }\n---\nchirp {{text}}\n",
    "flows/canary.yaml": `input: { text: string }
steps:
  - { id: chirp, run: chirp, with: { text: "\${{ input.text }}" } }
output: { text: "\${{ steps.chirp.output }}", version: ${version} }
`,
    ...Object.fromEntries(flows),
  };
}

/** The vendor that is never quite well. Shares are of its requests. */
export const SICK_VENDOR = {
  latency: { min: "80ms", max: "700ms" },
  faults: {
    rateLimit: 0.03,
    retryAfter: "300ms",
    serverError: 0.03,
    overloaded: 0.01,
    timeout: 0.01,
    cutStream: 0.02,
    malformedBody: 0.02,
    malformedJson: 0.06,
    schemaMismatch: 0.06,
  },
  rules: [{ when: { contains: "boom" }, error: { status: 400, message: "refused" } }],
};

export const HEALTHY_VENDOR = { latency: "20ms" };
