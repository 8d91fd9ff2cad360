/** A project with every format, as the design shows it. */
export const DESIGN_PROJECT: { [path: string]: string } = {
  "flow-run.yaml": `name: support-desk
providers:
  openai: { type: openai, apiKey: "\${{ secrets.OPENAI_API_KEY }}" }
  claude: { type: anthropic, apiKey: "\${{ secrets.ANTHROPIC_API_KEY }}" }
  local:  { type: openai-compatible, baseUrl: http://127.0.0.1:11434/v1 }
  sim:    { type: simulator }
models:                                  # the names that prompts use: swap an LLM here, in one line
  fast:
    use: openai/gpt-5-mini
    fallback: [claude/claude-haiku-4-5]
    timeout: 30s                         # per attempt
    retries: 3
    limits: { concurrency: 50, requestsPerMinute: 500, tokensPerMinute: 200000 }
    price: { input: 0.25, output: 2.00, cacheRead: 0.025 }   # USD per 1M tokens; default: the price catalog
  smart: claude/claude-sonnet-4-5        # short form
environments:
  dev:  { url: "http://127.0.0.1:7070" }
  prod:
    url: https://flows.example.com
    models: { fast: claude/claude-haiku-4-5 }    # override per environment
    gates: [triage-quality]
`,
  "prompts/triage.prompt": `---
model: fast
config: { temperature: 0, maxOutputTokens: 400 }
input:  { schema: { ticket: string, tone?: string } }
output: { format: json, schema: { category(enum): [billing, bug, other], urgent: boolean, questions(array): string } }
---
{{role "system"}}You triage support tickets.
{{role "user"}}{{ticket}}
`,
  "flows/reply.yaml": `description: Triage a ticket and draft a reply
input: { ticket: string }                # Picoschema or JSON Schema
steps:                                   # in order, unless inside \`parallel\`
  - id: triage
    run: triage                          # any flow: task, workflow or agent
    with: { ticket: "\${{ input.ticket }}" }
  - id: facts
    forEach: "\${{ steps.triage.output.questions }}"
    as: question
    concurrency: 5
    run: answer
    with: { question: "\${{ question }}" }
  - parallel:
      - { id: tone, run: tone, with: { text: "\${{ input.ticket }}" } }
      - { id: language, run: language, with: { text: "\${{ input.ticket }}" } }
  - id: draft
    if: "\${{ steps.triage.output.category != 'other' }}"
    run: draft
    with: { ticket: "\${{ input.ticket }}", facts: "\${{ steps.facts.output }}" }
    timeout: 60s
    retries: 2
    onError: continue                    # fail (default) | continue | { run: NAME, with: … }
  - id: polish
    repeat: { until: "\${{ steps.polish.output.score >= 8 }}", max: 3 }
    run: polish
    with: { text: "\${{ coalesce(steps.draft.output.?reply, input.ticket) }}" }   # draft may have been skipped
  - id: approval
    wait: { signal: approval, payload: { by: string, ok: boolean }, timeout: 24h }   # or { for: 10m }
  - id: file
    http: { method: POST, url: "https://crm.example.com/notes", body: { text: "\${{ steps.polish.output.text }}" } }
  - id: summary
    set: { length: "\${{ size(steps.polish.output.text) }}" }
output: { reply: "\${{ steps.polish.output.text }}" }
limits: { costUsd: 0.05, duration: 10m }
`,
  "agents/support.yaml": `description: Answers using tools
prompt: support                          # its messages start the conversation; its input schema is the agent's
tools: [lookup_order, search_docs]       # names of tools/*.yaml; an MCP tool is SERVER.TOOL
output: { answer: string, sources(array): string }
limits: { turns: 12, costUsd: 0.50, duration: 5m }
`,
  "tools/lookup_order.yaml": `description: Look up an order by its number
input: { orderId: string }
http: { method: GET, url: "https://shop.example.com/orders/\${{ input.orderId }}" }
approval: required                       # a person must allow each call
`,
  "evals/triage-quality.yaml": `flow: triage
cases: ../datasets/triage.jsonl          # or inline: [{ name, input, expected, tags }]
checks:
  - equals: { actual: "\${{ output.category }}", expected: "\${{ expected.category }}" }
  - expr: "\${{ size(output.questions) <= 3 }}"
  - judge: { run: judge_triage, min: 0.7 }
  - maxCostUsd: 0.002
repeat: 3
gate: { passRate: 0.95, noWorseThan: production }
`,
  "datasets/triage.jsonl": '{"input":{"ticket":"My invoice is wrong"},"expected":{"category":"billing"}}\n',
};
