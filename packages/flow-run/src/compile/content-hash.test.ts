import { describe, expect, test } from "vitest";
import { compileFiles } from "./__fixtures__/compile-files.ts";
import type { Bundle } from "./bundle.ts";
import { hashBundle, hashed } from "./content-hash.ts";

const FILES: { [path: string]: string } = {
  "flow-run.yaml": `name: test
providers:
  sim: { type: simulator, script: script.yaml }
  other: { type: openai, apiKey: "\${{ secrets.KEY }}" }
models:
  default: sim/small
  smart: { use: other/big, price: { input: 1, output: 2 }, limits: { concurrency: 3 } }
environments:
  prod: { models: { default: other/small } }
`,
  "script.yaml": "seed: 1\n",
  "prompts/triage.prompt":
    "---\ndescription: Sorts\ninput: { schema: { ticket: string } }\noutput: { schema: { urgent: boolean } }\n---\n{{> style}}\n{{ticket}}\n",
  "prompts/draft.prompt": "---\nmodel: smart\ninput: { schema: { ticket: string } }\n---\n{{> outer}}{{ticket}}",
  "prompts/alone.prompt": "---\nmodel: smart\n---\nHello",
  "prompts/_style.prompt": "Be kind.",
  "prompts/_outer.prompt": "{{> inner}}",
  "prompts/_inner.prompt": "Be brief.",
  "flows/reply.yaml": `input: { ticket: string }
steps:
  - { id: t, run: triage, with: { ticket: "\${{ input.ticket }}" } }
  - { id: d, if: "\${{ steps.t.output.urgent }}", run: draft, with: { ticket: "a \${{ input.ticket }}" } }
output: { text: "\${{ steps.d.output != null }}" }
`,
  "flows/outer.yaml": "steps:\n  - { id: r, run: alone, onError: { run: reply, with: { ticket: x } } }\n",
  "flows/apart.yaml": "steps:\n  - { id: s, set: { x: 1 } }\n",
};

async function compile(changes: { [path: string]: string } = {}): Promise<Bundle> {
  const { bundle, lines } = await compileFiles({ ...FILES, ...changes });
  if (bundle === null) throw new Error(lines.join("\n"));
  return bundle;
}

/** Names of the flows whose hash differs, sorted. */
async function changed(changes: { [path: string]: string }): Promise<string[]> {
  const [before, after] = [await compile(), await compile(changes)];
  expect(Object.keys(after.flows)).toEqual(Object.keys(before.flows));
  const names = Object.keys(before.flows).filter((name) => before.flows[name]!.hash !== after.flows[name]!.hash);
  if (names.length > 0) expect(after.hash).not.toBe(before.hash);
  return names;
}

function replaced(path: string, text: string, by: string): { [path: string]: string } {
  const before = FILES[path]!;
  expect(before).toContain(text);
  return { [path]: before.replace(text, by) };
}

describe("what cannot change behaviour changes no hash", () => {
  test("the same files twice", async () => {
    expect(await compile()).toEqual(await compile());
  });

  test("CRLF line ends in every file", async () => {
    const crlf = Object.fromEntries(Object.entries(FILES).map(([path, text]) => [path, text.replaceAll("\n", "\r\n")]));
    expect(await compile(crlf)).toEqual(await compile());
  });

  test("comments, blank lines, quotes and the order of keys", async () => {
    const reformatted = {
      "flow-run.yaml": `# a comment\n\n${FILES["flow-run.yaml"]!}`,
      "prompts/triage.prompt": FILES["prompts/triage.prompt"]!.replace("---\n", "---\n# why\n\n").replace("output: {", "output:  {"),
      "flows/reply.yaml": `# what it does\n\noutput: { text: '\${{ steps.d.output != null }}' }
input: { ticket: string }
steps:
  # first
  - run: triage
    id: t
    with: { ticket: "\${{input.ticket}}" }

  - id: d
    run: draft
    with:
      ticket: a \${{ input.ticket }}
    if: "\${{ steps.t.output.urgent }}"
`,
    };
    const [before, after] = [await compile(), await compile(reformatted)];
    expect(after.hash).toBe(before.hash);
    expect(Object.values(after.flows).map(({ hash }) => hash)).toEqual(Object.values(before.flows).map(({ hash }) => hash));
    // The places themselves are those of the new files.
    expect(after.flows.reply).not.toEqual(before.flows.reply);
  });

  test("prices and rate limits change the bundle, but no flow", async () => {
    expect(await changed(replaced("flow-run.yaml", "output: 2", "output: 3"))).toEqual([]);
    expect(await changed(replaced("flow-run.yaml", "concurrency: 3", "concurrency: 4"))).toEqual([]);
    expect((await compile(replaced("flow-run.yaml", "output: 2", "output: 3"))).hash).not.toBe((await compile()).hash);
  });

  test("a description changes the bundle, but no flow", async () => {
    const change = replaced("prompts/triage.prompt", "Sorts", "Sorts them");
    expect(await changed(change)).toEqual([]);
    expect((await compile(change)).hash).not.toBe((await compile()).hash);
  });

  test("how many runs may be under way at once changes the bundle, but no flow", async () => {
    const limited = { "flows/apart.yaml": `${FILES["flows/apart.yaml"]}limits: { concurrency: 2 }\n` };
    const inProd = replaced("flow-run.yaml", "  prod: {", "  prod: { limits: { flows: { apart: 3 } },");
    for (const change of [limited, inProd]) {
      expect(await changed(change)).toEqual([]);
      expect((await compile(change)).hash).not.toBe((await compile()).hash);
    }
    expect((await compile(limited)).flows.apart).toMatchObject({ concurrency: 2 });
    expect((await compile(inProd)).environments.prod?.limits).toEqual({ flows: { apart: 3 } });
  });

  test("a schedule changes the bundle, but no flow", async () => {
    const scheduled = (cron: string) => ({ "flows/apart.yaml": `${FILES["flows/apart.yaml"]}schedule: { cron: '${cron}' }\n` });
    expect(await changed(scheduled("@daily"))).toEqual([]);
    const hashes = await Promise.all([{}, scheduled("@daily"), scheduled("@hourly")].map(async (change) => (await compile(change)).hash));
    expect(new Set(hashes).size).toBe(3);
  });
});

describe("a change reaches exactly the flows that depend on it", () => {
  test.each<[string, { [path: string]: string }, string[]]>([
    ["one character in a partial", replaced("prompts/_style.prompt", "kind", "king"), ["outer", "reply", "triage"]],
    ["one character in a partial of a partial", replaced("prompts/_inner.prompt", "brief", "brieF"), ["draft", "outer", "reply"]],
    ["a prompt's text", replaced("prompts/alone.prompt", "Hello", "Hello!"), ["alone", "outer"]],
    [
      "a prompt's schema",
      replaced("prompts/triage.prompt", "urgent: boolean", "urgent: boolean, more?: string"),
      ["outer", "reply", "triage"],
    ],
    ["an expression", replaced("flows/reply.yaml", "a ${{", "b ${{"), ["outer", "reply"]],
    ["a step's id", replaced("flows/apart.yaml", "id: s", "id: z"), ["apart"]],
    ["a model", replaced("flow-run.yaml", "other/big", "other/bigger"), ["alone", "draft", "outer", "reply"]],
    ["a model of one environment", replaced("flow-run.yaml", "other/small", "other/tiny"), ["outer", "reply", "triage"]],
    ["a provider", replaced("flow-run.yaml", "secrets.KEY", "secrets.KEY2"), ["alone", "draft", "outer", "reply", "triage"]],
    ["the simulator's script", { "script.yaml": "seed: 2\n" }, ["outer", "reply", "triage"]],
  ])("%s", async (_, change, expected) => {
    expect(await changed(change)).toEqual(expected);
  });
});

test("a bundle's hash is that of its content, and of nothing less", async () => {
  const bundle = await compile();
  expect(bundle.hash).toBe(hashBundle(bundle));
  expect(hashed(bundle)).toEqual(bundle);
  expect(hashBundle({ ...bundle, hash: "another" })).toBe(bundle.hash);
  for (const [key, value] of Object.entries(bundle)) {
    if (key === "hash") continue;
    expect(hashBundle({ ...bundle, [key]: typeof value === "object" ? {} : `${value}x` })).not.toBe(bundle.hash);
  }
  expect(hashBundle(JSON.parse(JSON.stringify(bundle)) as Bundle)).toBe(bundle.hash);
});
