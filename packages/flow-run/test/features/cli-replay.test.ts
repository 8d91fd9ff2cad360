import fs from "node:fs";
import path from "node:path";
import type { AcceptedRun, Feedback, Run, Step } from "@flow-run/spec";
import { expect, it } from "vitest";
import { type Dev, startDev } from "../support/dev-server.ts";
import { until } from "../support/installation.ts";

const PROJECT = {
  "flow-run.yaml": `name: replays
providers: { sim: { type: simulator, script: sim.yaml } }
models: { default: { use: sim/m, retries: 0 } }
`,
  "sim.yaml": 'rules:\n  - { when: { contains: "say one" }, answer: two }\n  - { when: { contains: "say" }, answer: said }\n',
  "prompts/echo.prompt": "---\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "flows/chain.yaml": `input: { text: string }
steps:
  - { id: first, run: echo, with: { text: "\${{ input.text }}" } }
  - { id: second, run: echo, with: { text: "\${{ steps.first.output }}" } }
`,
  "flows/held.yaml": "steps:\n  - { id: inner, run: waits }\n",
  "flows/waits.yaml": `steps:
  - { id: approval, wait: { signal: approval, payload: { ok: boolean }, timeout: 24h } }
`,
};

const ended = (dev: Dev, id: string) => dev.json<Run & { steps: Step[] }>("runs", "watch", id);

it("runs replay starts a run again, from a step and with another input, from a file too", { timeout: 120_000 }, async () => {
  const dev = await startDev([], PROJECT);
  const { id } = await dev.json<Run>("run", "chain", "text=a", "--env", "dev");
  const whole = await dev.json<AcceptedRun>(
    "runs",
    "replay",
    id,
    "--input",
    '{"text": "one"}',
    "--tag",
    "again",
    "--tag",
    "twice",
    "--priority",
    "5",
  );
  expect(await ended(dev, whole.id)).toMatchObject({ input: { text: "one" }, tags: ["again", "twice"], replayOf: { run: id, from: null } });

  const from = await dev.flowRun("runs", "replay", id, "--from", "second");
  expect(from.stdout).toMatch(new RegExp(`^run_\\w+ replays ${id} from second on release 1\\. Follow it: flow-run runs watch run_`));
  const again = from.stdout.split(" ")[0]!;
  await ended(dev, again);
  const shown = await dev.flowRun("runs", "show", again);
  expect(shown.stdout).toContain(`replays ${id} from second\n`);
  expect(shown.stdout).toMatch(/\nfirst +task +succeeded .*copied\nsecond +task +succeeded +\+/);

  fs.writeFileSync(path.join(dev.cwd, "input.json"), '{"text": "one"}');
  const given = await dev.json<AcceptedRun>(
    "runs",
    "replay",
    id,
    "--from",
    "second",
    "--input",
    "@input.json",
    "--release",
    "same",
    "--no-webhook",
  );
  expect(await ended(dev, given.id)).toMatchObject({ output: "two", steps: [{ copied: true }, { copied: false, input: { text: "one" } }] });

  const { runs } = await dev.json<{ runs: Run[] }>("runs", "list", "--replay-of", id);
  expect(runs.map((run) => run.id)).toEqual([given.id, again, whole.id]);
  expect((await dev.json<{ runs: Run[] }>("runs", "list", "--tag", "again", "--tag", "twice")).runs).toHaveLength(1);
  expect(
    (await dev.json<{ runs: Run[] }>("runs", "list", "--status", "failed", "--status", "succeeded", "--release", "1")).runs,
  ).toHaveLength(4);
  expect((await dev.json<{ runs: Run[] }>("runs", "list", "--from", "2001-01-01", "--to", "2001-01-02")).runs).toEqual([]);
});

it("runs replay, list and feedback tell what is wrong with what they are given", { timeout: 120_000 }, async () => {
  const dev = await startDev([], PROJECT);
  const { id } = await dev.json<Run>("run", "chain", "text=a", "--env", "dev");
  const told = async (...args: string[]) => {
    const { code, stdout, stderr } = await dev.flowRun(...args);
    expect([code, stdout]).toEqual([2, ""]);
    return stderr;
  };
  const wrong = await Promise.all([
    told("runs", "replay", id, "--from", "secnd"),
    told("runs", "replay", id, "--from", "second", "--input", "{"),
    told("runs", "replay", id, "--from", "second", "--input", '{"text": 1}'),
    told("runs", "replay", id, "--release", "newest"),
    told("runs", "replay", id, "--priority", "high"),
    told("runs", "list", "--from", "yesterday"),
    told("runs", "list", "--status", "done"),
    told("runs", "list", "--release", "one"),
    told("runs", "feedback", id, "correct"),
    told("runs", "feedback", id, "--comment", "why"),
    told("runs", "feedback", id, "a b=1"),
    told("runs", "feedback", id, "a=1", "--step", "frist"),
  ]);
  const words = [
    'did you mean "second"?',
    "--input is not JSON",
    "/input/text",
    "write current, same or a release's number",
    "write a whole number from -100 to 100",
    "write a date or a time",
    "it is one of queued",
    "write a release's number",
    "is not name=value",
    "go with a judgement",
    "/name",
    "has no step",
  ];
  for (const [index, word] of words.entries()) expect(wrong[index]).toContain(word);
});

it("runs feedback gives and lists judgements, and runs show counts them", { timeout: 120_000 }, async () => {
  const dev = await startDev([], PROJECT);
  const { id } = await dev.json<Run>("run", "chain", "text=a", "--env", "dev");
  expect((await dev.flowRun("runs", "feedback", id)).stdout).toBe(`Nobody has said what ${id} is worth.\n`);
  const given = await dev.json<Feedback>("runs", "feedback", id, "score=0.5", "--step", "first", "--author", "Ada");
  expect(given).toMatchObject({ run: id, name: "score", value: 0.5, step: "first", author: "Ada" });
  const said = await dev.flowRun("runs", "feedback", id, "kind=fine = so so", "--comment", "two\nlines");
  expect(said).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nkind +fine = so so .* two lines\n$/) });
  await dev.flowRun("runs", "feedback", id, "correct=true");
  const { feedback } = await dev.json<{ feedback: Feedback[] }>("runs", "feedback", id);
  expect(feedback.map(({ name, value }) => [name, value])).toEqual([
    ["score", 0.5],
    ["kind", "fine = so so"],
    ["correct", true],
  ]);
  expect((await dev.flowRun("runs", "feedback", id)).stdout.split("\n")).toHaveLength(5);
  expect((await dev.flowRun("runs", "show", id)).stdout).toContain(`feedback 3; flow-run runs feedback ${id} lists it`);
});

it("runs show tells what a run waits for, and inside of what", { timeout: 120_000 }, async () => {
  const dev = await startDev([], PROJECT);
  const response = await fetch(`${dev.url}/v1/flows/held/runs`, { method: "POST" });
  const { id } = (await response.json()) as AcceptedRun;
  await until(async () => (await dev.json<Run>("runs", "show", id)).status === "waiting", { what: "the run waits" });
  expect((await dev.flowRun("runs", "show", id)).stdout).toMatch(
    /\ninner +workflow +running .*\ninner\.approval +wait +waiting .*for the signal approval, until \d{4}-\d\d-\d\dT/,
  );
  await dev.flowRun("runs", "signal", id, "approval", "--payload", '{"ok": true}');
  expect(await ended(dev, id)).toMatchObject({ status: "succeeded", output: { ok: true } });
});
