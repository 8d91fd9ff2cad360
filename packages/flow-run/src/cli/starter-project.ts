/** The files of a new project: two prompts, a workflow, and the simulator as its LLM, by path from the root. */
export function starterFiles(name: string): { [path: string]: string } {
  return {
    "flow-run.yaml": `# yaml-language-server: $schema=.flow-run/schemas/flow-run.schema.json
name: ${name}

providers:
  # Deterministic, offline, no key. Replace it when you are ready:
  #   openai: { type: openai, apiKey: "\${{ secrets.OPENAI_API_KEY }}" }
  #   claude: { type: anthropic, apiKey: "\${{ secrets.ANTHROPIC_API_KEY }}" }
  #   local:  { type: openai-compatible, baseUrl: http://127.0.0.1:11434/v1 }
  sim: { type: simulator }

# The names that prompts use: swap an LLM here, in one line.
models:
  default: sim/small
  smart: { use: sim/large, timeout: 60s, retries: 3 }

environments:
  dev: { url: "http://127.0.0.1:7070" }    # flow-run dev
  # prod: { url: https://flows.example.com }
`,
    "prompts/greet.prompt": `---
description: Greets somebody by name.
config: { temperature: 0.7, maxOutputTokens: 200 }
input:
  schema:
    name: string
    tone?: string, for example formal
---
{{role "system"}}
You write warm greetings of one or two sentences.{{#if tone}} The tone is {{tone}}.{{/if}}
{{role "user"}}
Greet {{name}}.
`,
    "prompts/rate.prompt": `---
description: Says how a text sounds.
model: smart
config: { temperature: 0 }
input:
  schema:
    text: string
output:
  format: json
  schema:
    mood(enum): [warm, neutral, cold]
    score: integer, from 0 to 10
    reason: string, one sentence
---
{{role "system"}}
You judge how a text sounds to the one who reads it.
{{role "user"}}
{{text}}
`,
    "flows/welcome.yaml": `# yaml-language-server: $schema=../.flow-run/schemas/workflow.schema.json
description: Greets somebody and rates the greeting.
input:
  name: string
  tone?: string
steps:
  - id: greet
    run: greet
    with:
      name: "\${{ input.name }}"
      tone: "\${{ coalesce(input.?tone, 'friendly') }}"
  - id: rate
    run: rate
    with:
      text: "\${{ steps.greet.output }}"
output:
  greeting: "\${{ steps.greet.output }}"
  mood: "\${{ steps.rate.output.mood }}"
  score: "\${{ steps.rate.output.score }}"
`,
    ".gitignore": ".flow-run/\n",
  };
}
