import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { flowRun, flowRunOnTerminal, folderWith, hasTerminal, SMALL_PROJECT } from "../support/command-line.ts";
import { programFile } from "../support/shared-databases.ts";

describe("flow-run run", () => {
  it("prints a prompt's text alone on standard output, and what it took on standard error", async () => {
    const cwd = folderWith(SMALL_PROJECT);
    const [text, object, flow] = await Promise.all([
      flowRun(["run", "say", "what=hello"], { cwd }),
      flowRun(["run", "rate", "text=5 of 10"], { cwd }),
      flowRun(["run", "both", "what=hello", "--steps"], { cwd }),
    ]);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^[^\n]*hello[^\n]*\n$/);
    expect(text.stderr).toMatch(/^succeeded · \d+ ms · 1 call · \d+ \+ \d+ tokens · cost \$0\n$/);
    expect(Object.keys(JSON.parse(object.stdout))).toEqual(["score"]);
    expect(Object.keys(JSON.parse(flow.stdout))).toEqual(["first", "second"]);
    expect(flow.stderr).toMatch(/^✓ first .*\n✓ second .*\n\nstep +kind +status +at +took +model +in +out +cost\nfirst +task +succeeded/);
  });

  it("streams: text is there long before the run has ended", async () => {
    const cwd = folderWith(SMALL_PROJECT);
    const child = spawn(process.execPath, [await programFile(), "run", "say", "what=slowly"], { cwd, env: { PATH: process.env.PATH } });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = once(child, "close");
    const [first] = (await once(child.stdout, "data")) as [Buffer];
    expect(String(first)).toMatch(/^one/);
    expect(String(first)).not.toContain("sixteen");
    expect(child.exitCode).toBeNull();
    expect((await ended)[0]).toBe(0);
  });

  it("cancels on Ctrl-C: the run ends as cancelled, and the command with 1", async () => {
    const cwd = folderWith(SMALL_PROJECT);
    const program = await programFile();
    const interrupted = async (args: string[]) => {
      const child = spawn(process.execPath, [program, "run", "say", "what=slowly", ...args], { cwd, env: { PATH: process.env.PATH } });
      onTestFinished(() => void child.kill("SIGKILL"));
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk) => (stdout += chunk));
      child.stderr.on("data", (chunk) => (stderr += chunk));
      return { child, ended: once(child, "close").then(([code]) => ({ code, stdout, stderr })) };
    };
    const text = await interrupted([]);
    await once(text.child.stdout, "data");
    text.child.kill("SIGINT");
    const { code, stderr } = await text.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^cancelled · .*\n$/);
  });

  it("takes input as pairs, JSON, a file and standard input, typed by the flow's schema", async () => {
    const cwd = folderWith({ ...SMALL_PROJECT, "input.json": '{"what": "file"}' });
    const inputs: [string[], unknown, string?][] = [
      [["what=1", "count=2"], { what: "1", count: 2 }],
      [["--input", '{"what":"json"}', "count=3"], { what: "json", count: 3 }],
      [["--input", "@input.json"], { what: "file" }],
      [["--input", "-", "what=pair"], { what: "pair", count: 4 }, '{"what":"stdin","count":4}'],
    ];
    await Promise.all(
      inputs.map(async ([args, expected, input]) => {
        const { stdout } = await flowRun(["run", "say", ...args, "--json"], { cwd, input });
        expect(JSON.parse(stdout)).toMatchObject({ input: expected, status: "succeeded" });
      }),
    );
  });

  it("says what is wrong with a command or an input before anything runs, and ends with 2", async () => {
    const cwd = folderWith({ ...SMALL_PROJECT, "latin.json": new Uint8Array([0x22, 0xff, 0x22]) });
    const cases: [string[], string, RegExp][] = [
      [["sya"], "unknown-flow", /Did you mean "say"\?/],
      [["say"], "invalid-input", /must have the property "what".*It takes what, count \(optional\)/s],
      [["say", "what=x", "wat=y"], "invalid-input", /wat/],
      [["say", "what=x", "__proto__=1"], "invalid-input", /__proto__/],
      [["say", "--input", "{what"], "wrong-command", /--input is not JSON/],
      [["say", "--input", "@none.json"], "unreadable-file", /there is no file none\.json/],
      [["say", "--input", "@prompts"], "unreadable-file", /is a folder/],
      [["say", "--input", "@latin.json"], "unreadable-file", /not UTF-8/],
      [["say", "--input", "[1]", "what=x"], "wrong-command", /an --input that is an object/],
      [["say", "what"], "wrong-command", /not key=value/],
      [["say", "what=x", "--model", "default"], "wrong-command", /NAME=PROVIDER\/MODEL/],
      [["say", "what=x", "--model", "defualt=sim/x"], "unknown-model", /Did you mean "default"\?/],
      [["say", "what=x", "--model", "default=smi/x"], "unknown-provider", /Did you mean "sim"\?/],
      [["paid", "what=x"], "missing-secret", /VENDOR_KEY/],
      [["say", "what=x", "--env", "prod"], "unknown-environment", /environments/],
    ];
    await Promise.all(
      cases.map(async ([args, code, message]) => {
        const failed = await flowRun(["run", ...args, "--json"], { cwd });
        expect({ args, code: failed.code, stderr: failed.stderr }).toEqual({ args, code: 2, stderr: "" });
        expect(JSON.parse(failed.stdout)).toMatchObject({ error: { code, message: expect.stringMatching(message) } });
      }),
    );
  });

  it("swaps a model for one run, so that a missing key is no obstacle", async () => {
    const { code, stdout } = await flowRun(["run", "paid", "what=x", "--model", "paid=sim/any", "--json", "--steps"], {
      cwd: folderWith(SMALL_PROJECT),
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).steps[0].attempts[0]).toMatchObject({ provider: "sim", model: "any" });
  });

  it("ends with 1 and the step's error when the run fails, and shows attempts that failed", async () => {
    const cwd = folderWith(SMALL_PROJECT);
    const [failed, json] = await Promise.all([
      flowRun(["run", "both", "what=flaky", "then=refused", "--steps"], { cwd }),
      flowRun(["run", "both", "what=x", "then=refused", "--json"], { cwd }),
    ]);
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(/first: attempt 1 on sim\/small failed: provider-error\n✓ first/);
    expect(failed.stderr).toMatch(/error \[provider-rejected\] in step second: .*\nfailed · /);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ status: "failed", error: { code: "provider-rejected", step: "second" } });
  });

  it("refuses a project with mistakes, with the diagnostics in the one JSON document", async () => {
    const cwd = folderWith({ ...SMALL_PROJECT, "prompts/wrong.prompt": "---\nmodel: none\n---\nHello" });
    const { code, stdout, stderr } = await flowRun(["run", "say", "what=x", "--json"], { cwd });
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "invalid-project", diagnostics: [{ code: "unknown-model", file: "prompts/wrong.prompt" }] },
    });
  });

  it.skipIf(!hasTerminal)(
    "makes a model's escapes and direction marks harmless on a terminal, and leaves them in pipes and JSON",
    async () => {
      const cwd = folderWith(SMALL_PROJECT);
      const args = ["run", "say", "what=hostile"];
      const evil = "plain \u001b[31mred \u001b]52;c;AAAA\u0007 \u202eturned\u202c";
      const [shown, piped, json, jsonShown] = await Promise.all([
        flowRunOnTerminal(args, { cwd }),
        flowRun(args, { cwd }),
        flowRun([...args, "--json"], { cwd }),
        flowRunOnTerminal([...args, "--json"], { cwd }),
      ]);
      expect(shown.stdout).toContain("plain \\u001b[31mred \\u001b]52;c;AAAA\\u0007 \\u202eturned\\u202c");
      for (const mark of ["\u001b]", "\u0007", "\u202e"]) expect(shown.stdout).not.toContain(mark);
      expect(piped.stdout).toBe(`${evil}\n`);
      for (const { stdout } of [json, jsonShown]) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may stand in the document
        expect(stdout).not.toMatch(/[\u001b\u0007\u202e]/);
        expect(JSON.parse(stdout).output).toBe(evil);
      }
    },
  );
});
