import { describe, expect, it } from "vitest";
import { flowRun, flowRunOnTerminal, folderWith, hasTerminal, SMALL_PROJECT } from "../support/command-line.ts";

const SCHEDULED = {
  ...SMALL_PROJECT,
  "flow-run.yaml": `${SMALL_PROJECT["flow-run.yaml"]}environments: { prod: { models: { default: vendor/gpt-5 } } }\n`,
  "flows/nightly.yaml": `schedule: { cron: "0 3 * * *" }
steps:
  - { id: all, forEach: [a, b], run: both, with: { what: "\${{ item }}" } }
`,
};

describe("flow-run graph", () => {
  it("shows a workflow as a tree, as a flowchart and as JSON", async () => {
    const cwd = folderWith(SCHEDULED);
    const [tree, chart, json] = await Promise.all(
      [[], ["--mermaid"], ["--json"]].map((args) => flowRun(["graph", "nightly", ...args], { cwd })),
    );
    expect([tree, chart, json].map((said) => [said!.code, said!.stderr])).toEqual([0, 0, 0].map((code) => [code, ""]));
    expect(tree!.stdout).toMatch(
      /^nightly {2}workflow {2}flows\/nightly\.yaml\n│ {2}schedule 0 3 \* \* \* \(UTC\), next \d{4}-\d\d-\d\dT03:00:00Z, with \{\}\n/,
    );
    expect(tree!.stdout).toContain(`├─ all  workflow both
│  │  for each item of ["a","b"], 10 at a time
│  ├─ first  task say
│  │     model default → sim/small
│  └─ second  task say
`);
    expect(chart!.stdout).toMatch(/^flowchart TD\n {2}n1\(\["nightly<br>/);
    const { flow, flows } = JSON.parse(json!.stdout);
    expect(flow).toBe("nightly");
    expect(Object.keys(flows).sort()).toEqual(["both", "nightly", "say"]);
    expect(flows.nightly).toMatchObject({
      kind: "workflow",
      schedule: { cron: "0 3 * * *", timezone: "UTC", input: {} },
      steps: [{ id: "all", kind: "run", flow: "both", forEach: { items: '["a","b"]', as: "item", concurrency: 10 } }],
    });
    expect(flows.say).toMatchObject({ kind: "task", input: { required: ["what"] }, model: { name: "default", targets: ["sim/small"] } });
  });

  it("shows a prompt, with the models of an environment", async () => {
    const { stdout, code } = await flowRun(["graph", "say", "--env", "prod"], { cwd: folderWith(SCHEDULED) });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `say  task  prompts/say.prompt
│  model    default → vendor/gpt-5
│  input    { what: string, count?: integer | null }
└─ output  string
`,
    });
  });

  it.skipIf(!hasTerminal)("is coloured on a terminal", async () => {
    const { stdout } = await flowRunOnTerminal(["graph", "both"], { cwd: folderWith(SMALL_PROJECT) });
    expect(stdout).toContain("\u001b[1mboth\u001b[22m");
  });

  it("says what is wrong, and ends with 2", async () => {
    const cwd = folderWith(SCHEDULED);
    const cases: [string[], RegExp][] = [
      [["nigthly"], /^error: There is no flow "nigthly"\. Did you mean "nightly"\?\n$/],
      [["zzz"], /^error: There is no flow "zzz"\. The project's flows: both, /],
      [["both", "--env", "prdo"], /^error: The project has no environment "prdo"\. Did you mean "prod"\?/],
      [["both", "--mermaid", "--json"], /^$/],
      [[], /missing.*argument/i],
    ];
    await Promise.all(
      cases.map(async ([args, sentence]) => {
        const { code, stdout, stderr } = await flowRun(["graph", ...args], { cwd });
        expect({ args, code }).toEqual({ args, code: 2 });
        expect(stderr).toMatch(sentence);
        if (args.includes("--json")) expect(JSON.parse(stdout).error.message).toMatch(/give one of them/);
      }),
    );
    const broken = folderWith({
      ...SCHEDULED,
      "flows/nightly.yaml": 'schedule: { cron: "0 25 * * *", timezone: Berlin }\nsteps: [{ id: a, set: {} }]\n',
    });
    const { code, stderr } = await flowRun(["graph", "nightly"], { cwd: broken });
    expect(code).toBe(2);
    expect(stderr).toContain("error [bad-cron] ");
    expect(stderr).toContain("flows/nightly.yaml:1:19");
    expect(stderr).toContain('hint: did you mean "Europe/Berlin"?');
  });
});
