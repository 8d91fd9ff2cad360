/** Code, text at the place, part of message or hint. */
export type Finding = [code: string, at: string, says?: string];
/** Title, the steps as YAML, and all that is wrong with them. */
export type Row = [title: string, steps: string, findings: Finding[]];

const tone = (text: string) => `{ text: "\${{ ${text} }}" }`;
const level = "level: low";

export const ROWS: Row[] = [
  [
    "a step reads one that comes later",
    `  - { id: a, run: tone, with: ${tone("steps.b.output")} }
  - { id: b, run: tone, with: { text: x } }`,
    [["not-available-here", "b", "comes later (line 4)"]],
  ],
  ["a step reads itself", `  - { id: a, run: tone, with: ${tone("steps.a.output")} }`, [["not-available-here", "a"]]],
  [
    "the second of a parallel block reads the first",
    `  - parallel:
      - { id: a, run: tone, with: { text: x } }
      - { id: b, run: tone, with: ${tone("steps.a.output")} }
  - { id: c, run: tone, with: { text: x } }`,
    [["not-available-here", "a", "same time"]],
  ],
  [
    "the first of a parallel block reads the second",
    `  - parallel:
      - { id: a, run: tone, with: ${tone("steps.b.output")} }
      - { id: b, run: tone, with: { text: x } }
  - { id: c, run: tone, with: { text: x } }`,
    [["not-available-here", "b", "same time"]],
  ],
  [
    "both are read after the block",
    `  - parallel:
      - { id: a, run: tone, with: { text: x } }
      - { id: b, run: tone, with: { text: x } }
  - { id: c, run: tone, with: ${tone("steps.a.output + steps.b.output")} }`,
    [],
  ],
  ["a required input is missing", `  - { id: a, run: count, with: { n: 3 } }`, [["missing-field", "with", '"level"']]],
  ["a call without with lacks what is required", `  - { id: a, run: tone }`, [["missing-field", "run", '"text"']]],
  [
    "an input is misspelt",
    `  - { id: a, run: count, with: { n: 3, ${level}, labell: x } }`,
    [["unknown-field", "labell", '"label"?']],
  ],
  [
    "a required input is misspelt, and not missing as well",
    `  - { id: a, run: count, with: { n: 3, levle: low } }`,
    [["unknown-field", "levle", '"level"?']],
  ],
  ["text for a number", `  - { id: a, run: count, with: { n: "3", ${level} } }`, [["type-mismatch", '"3"']]],
  ["a text outside the enum", `  - { id: a, run: count, with: { n: 3, level: lwo } }`, [["type-mismatch", "lwo", '"low"?']]],
  [
    "any text for an enum",
    `  - { id: a, run: count, with: { n: 3, level: "\${{ input.ticket }}" } }`,
    [["type-mismatch", '"${{ input.ticket }}"']],
  ],
  [
    "an enum by a condition and an optional input handed on",
    `  - { id: a, run: count, with: { level: "\${{ input.on ? 'low' : 'high' }}", n: 3, label: "\${{ input.?tone }}" } }`,
    [],
  ],
  [
    "a number for an integer",
    `  - { id: a, run: count, with: { n: "\${{ input.price }}", ${level} } }`,
    [["type-mismatch", '"${{ input.price }}"', "round"]],
  ],
  [
    "text around a number for an integer",
    `  - { id: a, run: count, with: { n: "x \${{ input.n }}", ${level} } }`,
    [["type-mismatch", '"x ${{ input.n }}"']],
  ],
  [
    "an optional value for a required input",
    `  - { id: a, run: tone, with: ${tone("input.?tone")} }`,
    [
      ["possibly-missing", '"${{ input.?tone }}"'],
      ["possibly-null", '"${{ input.?tone }}"'],
    ],
  ],
  [
    "a step that may be skipped is read",
    `  - { id: a, if: "\${{ input.on }}", run: polish, with: { text: x } }
  - { id: b, run: tone, with: ${tone("steps.a.output.text")} }`,
    [["possibly-null", "steps.a.output"]],
  ],
  [
    "it is read where it is not null",
    `  - { id: a, if: "\${{ input.on }}", run: polish, with: { text: x } }
  - { id: b, if: "\${{ steps.a.output != null }}", run: tone, with: ${tone("steps.a.output.text")} }`,
    [],
  ],
  [
    "it is read under the same condition and another",
    `  - { id: a, if: "\${{ input.on }}", run: polish, with: { text: x } }
  - { id: b, if: "\${{ input.n > 1 && input.on }}", run: tone, with: ${tone("steps.a.output.text")} }`,
    [],
  ],
  [
    "it is read later in the same condition",
    `  - { id: a, if: "\${{ input.on }}", run: polish, with: { text: x } }
  - { id: b, if: "\${{ input.on && steps.a.output.score > 3 }}", run: tone, with: { text: x } }`,
    [],
  ],
  [
    "it is read under the opposite condition",
    `  - { id: a, if: "\${{ input.on }}", run: polish, with: { text: x } }
  - { id: b, if: "\${{ !input.on }}", run: tone, with: ${tone("steps.a.output.text")} }`,
    [["possibly-null", "steps.a.output"]],
  ],
  [
    "a step that may fail and go on is read",
    `  - { id: a, run: polish, with: { text: x }, onError: continue }
  - { id: b, run: tone, with: ${tone("steps.a.output.text")} }`,
    [["possibly-null", "steps.a.output"]],
  ],
  [
    "a step with another flow to fall back on is read",
    `  - { id: a, run: polish, with: { text: x }, onError: { run: draft, with: { ticket: x, facts: [] } } }
  - { id: b, run: tone, with: ${tone("steps.a.output.text")} }`,
    [["possibly-missing", "text"]],
  ],
  [
    "the fallback's own input is wrong",
    `  - { id: a, run: polish, with: { text: x }, onError: { run: draft, with: { ticket: x } } }`,
    [["missing-field", "with", '"facts"']],
  ],
  [
    "an http step that may be skipped is read, though its type is any",
    `  - { id: a, if: "\${{ input.on }}", http: { url: "https://example.com" } }
  - { id: b, set: { x: "\${{ steps.a.output.body }}" } }`,
    [["possibly-null", "steps.a.output"]],
  ],
  [
    "a step of a block that may be skipped is read",
    `  - if: "\${{ input.on }}"
    parallel:
      - { id: a, run: polish, with: { text: x } }
  - { id: b, run: tone, with: ${tone("steps.a.output.text")} }`,
    [["possibly-null", "steps.a.output"]],
  ],
  [
    "a step of such a block is read under the block's condition",
    `  - if: "\${{ input.on }}"
    parallel:
      - { id: a, run: polish, with: { text: x } }
  - { id: b, if: "\${{ input.on }}", run: tone, with: ${tone("steps.a.output.text")} }`,
    [],
  ],
  [
    "a condition that is text",
    `  - { id: a, if: "\${{ input.ticket }}", run: tone, with: { text: x } }`,
    [["type-mismatch", '"${{ input.ticket }}"']],
  ],
  [
    "a condition without an expression",
    `  - { id: a, if: input.on, run: tone, with: { text: x } }`,
    [["not-an-expression", "input.on", "${{ input.on }}"]],
  ],
  [
    "a condition with text beside the expression",
    `  - { id: a, if: "\${{ input.on }} and", run: tone, with: { text: x } }`,
    [["not-an-expression", '"${{ input.on }} and"']],
  ],
  [
    "forEach over text",
    `  - { id: a, forEach: "\${{ input.ticket }}", run: tone, with: { text: x } }`,
    [["type-mismatch", '"${{ input.ticket }}"']],
  ],
  [
    "forEach over a list that may be null",
    `  - { id: a, if: "\${{ input.on }}", set: { l: [1] } }
  - { id: b, forEach: "\${{ steps.a.output == null ? null : [1] }}", run: tone, with: { text: x } }`,
    [["possibly-null", '"${{ steps.a.output == null ? null : [1] }}"']],
  ],
  [
    "elements, their index and the list of results",
    `  - { id: a, forEach: "\${{ input.xs }}", as: x, run: tone, with: ${tone("x.id + string(index)")} }
  - { id: b, run: tone, with: ${tone("steps.a.output.join(', ')")} }`,
    [],
  ],
  [
    "a field of an element is misspelt",
    `  - { id: a, forEach: "\${{ input.xs }}", as: x, run: tone, with: ${tone("x.idd")} }`,
    [["unknown-field", "idd", '"id"?']],
  ],
  [
    "an element is read in another step",
    `  - { id: a, forEach: "\${{ input.xs }}", as: x, run: tone, with: ${tone("x.id")} }
  - { id: b, run: tone, with: ${tone("x.id")} }`,
    [["unknown-variable", "x"]],
  ],
  [
    "item is read in another step",
    `  - { id: a, forEach: "\${{ input.xs }}", run: tone, with: ${tone("item.id")} }
  - { id: b, run: tone, with: ${tone("item.id")} }`,
    [["not-available-here", "item", "only inside a step with forEach"]],
  ],
  [
    "an element is read in the step's own condition",
    `  - { id: a, if: "\${{ item.id == 'x' }}", forEach: "\${{ input.xs }}", run: tone, with: ${tone("item.id")} }`,
    [["not-available-here", "item"]],
  ],
  [
    "an element has the name of a type",
    `  - { id: a, forEach: "\${{ input.xs }}", as: type, run: tone, with: { text: x } }`,
    [["reserved-name", "type"]],
  ],
  [
    "two steps have one id",
    `  - { id: a, run: tone, with: { text: x } }
  - { id: a, run: tone, with: { text: x } }`,
    [["duplicate-step", "a", "line 3"]],
  ],
  [
    "elements that failed and went on are read",
    `  - { id: a, forEach: "\${{ input.xs }}", run: polish, with: ${tone("item.id")}, onError: continue }
  - { id: b, forEach: "\${{ steps.a.output }}", run: tone, with: ${tone("item.text")} }`,
    [["possibly-null", "item"]],
  ],
  [
    "those that did not fail are read",
    `  - { id: a, forEach: "\${{ input.xs }}", run: polish, with: ${tone("item.id")}, onError: continue }
  - { id: b, forEach: "\${{ steps.a.output.filter(x, x != null) }}", run: tone, with: ${tone("item.text")} }`,
    [],
  ],
  [
    "a repeated step looks at its output",
    `  - { id: a, repeat: { until: "\${{ steps.a.output.score >= 8 }}", max: 3 }, run: polish, with: { text: x } }`,
    [],
  ],
  [
    "a repeated step reads its output before the first turn",
    `  - { id: a, repeat: { until: "\${{ steps.a.output.score >= 8 }}", max: 3 }, run: polish, with: ${tone("steps.a.output.text")} }`,
    [["possibly-null", "steps.a.output"]],
  ],
  [
    "a repeated step has something for the first turn",
    `  - { id: a, repeat: { until: "\${{ steps.a.output.score >= 8 }}", max: 3 }, run: polish, with: ${tone("coalesce(steps.a.output.?text, input.ticket)")} }`,
    [],
  ],
  [
    "until is a number",
    `  - { id: a, repeat: { until: "\${{ steps.a.output.score }}", max: 3 }, run: polish, with: { text: x } }`,
    [["type-mismatch", '"${{ steps.a.output.score }}"']],
  ],
  [
    "repeat and forEach on one step",
    `  - { id: a, repeat: { until: true, max: 3 }, forEach: [1], run: polish, with: { text: x } }`,
    [["not-together", "forEach"]],
  ],
  [
    "values that a set step made",
    `  - { id: a, set: { len: "\${{ size(input.ticket) }}" } }
  - { id: b, run: count, with: { n: "\${{ steps.a.output.len }}", ${level} } }`,
    [],
  ],
  [
    "a value that a set step did not make",
    `  - { id: a, set: { len: "\${{ size(input.ticket) }}" } }
  - { id: b, run: count, with: { n: "\${{ steps.a.output.lne }}", ${level} } }`,
    [["unknown-field", "lne", '"len"?']],
  ],
  ["a secret in a header", `  - { id: a, http: { url: "https://example.com", headers: { authorization: "Bearer \${{ secrets.K }}" } } }`, []],
  ["a secret elsewhere", `  - { id: a, run: tone, with: ${tone("secrets.K")} }`, [["not-available-here", "secrets"]]],
  [
    "the payload of a signal",
    `  - { id: a, wait: { signal: go, payload: { by: string } } }
  - { id: b, run: tone, with: ${tone("steps.a.output.by")} }`,
    [],
  ],
  [
    "what the payload of a signal does not have",
    `  - { id: a, wait: { signal: go, payload: { by: string } } }
  - { id: b, run: tone, with: ${tone("steps.a.output.whom")} }`,
    [["unknown-field", "whom"]],
  ],
  [
    "a skipped step within text",
    `  - { id: a, if: "\${{ input.on }}", run: tone, with: { text: x } }
  - { id: b, run: tone, with: { text: "Tone: \${{ steps.a.output }}" } }`,
    [["possibly-null", "steps.a.output"]],
  ],
  ["a list within text", `  - { id: a, run: tone, with: { text: "Items: \${{ input.xs }}" } }`, []],
  [
    "two mistakes in one expression",
    `  - { id: a, if: "\${{ input.onn && input.tikcet == '' }}", run: tone, with: { text: x } }`,
    [
      ["unknown-field", "onn", '"on"?'],
      ["unknown-field", "tikcet", '"ticket"?'],
    ],
  ],
  [
    "a mistake on the second line of a block",
    `  - id: a
    run: tone
    with:
      text: |
        Dear \${{ input.ticket }},
        and \${{ input.tikcet }}`,
    [["unknown-field", "tikcet", '"ticket"?']],
  ],
  [
    "a mistake written once and used twice",
    `  - { id: a, run: tone, with: &w { text: "\${{ input.tikcet }}" } }
  - { id: b, run: tone, with: *w }`,
    [["unknown-field", "tikcet"]],
  ],
  [
    "an unknown flow, and a mistake in its input",
    `  - { id: a, run: tonne, with: ${tone("input.tikcet")} }`,
    [
      ["unknown-flow", "tonne", '"tone"?'],
      ["unknown-field", "tikcet"],
    ],
  ],
  // Beyond the table.
  ["a step without an id", `  - { run: tone, with: { text: x } }`, [["missing-field", "run", "id"]]],
  ["a step without an action", `  - { id: a }`, [["missing-field", "a", "run, http"]]],
  [
    "two actions",
    `  - { id: a, run: tone, with: { text: x }, set: { x: 1 } }`,
    [["not-together", "set", "two steps"]],
  ],
  [
    "as and concurrency without forEach",
    `  - { id: a, as: x, concurrency: 3, run: tone, with: { text: x } }`,
    [
      ["not-together", "as"],
      ["not-together", "concurrency"],
    ],
  ],
  ["with without run", `  - { id: a, with: { x: 1 }, set: { x: 1 } }`, [["not-together", "with"]]],
  ["retries on a set", `  - { id: a, retries: 2, set: { x: 1 } }`, [["not-together", "retries"]]],
  ["a timeout beside a wait", `  - { id: a, timeout: 3s, wait: { signal: go } }`, [["not-together", "timeout", "wait: { signal"]]],
  [
    "a block in parallel with keys of a step",
    `  - onError: continue
    parallel: [{ id: a, run: tone, with: { text: x } }]
  - { id: b, set: { x: 1 } }`,
    [["not-together", "onError", "steps inside"]],
  ],
  [
    "a workflow that ends with a parallel block",
    `  - parallel: [{ id: a, run: tone, with: { text: x } }]`,
    [["missing-field", "steps", "output"]],
  ],
  [
    "a block in parallel is read as if it were a step",
    `  - id: both
    parallel: [{ id: a, run: tone, with: { text: x } }]
  - { id: b, run: tone, with: ${tone("steps.both.output")} }`,
    [["not-available-here", "both", "read its steps"]],
  ],
  [
    "a step id with a hyphen",
    `  - { id: my-step, run: tone, with: { text: x } }
  - { id: b, run: tone, with: ${tone('steps[\\"my-step\\"].output')} }`,
    [],
  ],
  [
    "an element's name is no root, no word and a name",
    `  - { id: a, forEach: [1], as: input, set: { x: 1 } }
  - { id: b, forEach: [1], as: in, set: { x: 1 } }
  - { id: c, forEach: [1], as: my-x, set: { x: 1 } }`,
    [
      ["reserved-name", "input"],
      ["reserved-name", "in"],
      ["reserved-name", "my-x"],
    ],
  ],
  ["an expression that is not closed", `  - { id: a, run: tone, with: { text: "\${{ input.ticket }" } }`, [["syntax", "${{", "}}"]]],
  ["an empty expression", `  - { id: a, run: tone, with: { text: "\${{ }}" } }`, [["syntax", ""]]],
  [
    "a whole input by one expression",
    `  - { id: a, run: polish, with: "\${{ {'text': input.ticket, 'scroe': 1} }}" }`,
    [["unknown-field", "\"${{ {'text': input.ticket, 'scroe': 1} }}\""]],
  ],
  [
    "a field that is too much within a list",
    `  - { id: a, run: draft, with: { ticket: x, facts: [{ answer: y, sorce: z }] } }`,
    [["unknown-field", "sorce", '"source"?']],
  ],
  ["an object that carries more is handed on whole", `  - { id: a, run: draft, with: { ticket: x, facts: "\${{ input.xs.map(x, {'answer': x.id}) }}" } }`, []],
  ["a schema that makes no sense", `  - { id: a, wait: { signal: go, payload: { by: strin } } }`, [["bad-schema", "by"]]],
  [
    "any is accepted everywhere",
    `  - { id: a, run: free, with: { anything: [1, "\${{ input.n }}"] } }
  - { id: b, run: count, with: { n: "\${{ steps.a.output.n }}", level: "\${{ steps.a.output.level }}" } }`,
    [],
  ],
];
