import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { flowRun, flowRunOnTerminal, folderWith, hasTerminal, SMALL_PROJECT } from "../support/command-line.ts";

interface Found {
  code: string;
  severity: string;
  message: string;
  file: string;
  line: number;
  column: number;
}

const MISTAKEN = {
  ...SMALL_PROJECT,
  "flows/wrong.yaml": `input: { name: string }
steps:
  - { id: one, run: sya, with: { what: x } }
  - { id: two, run: say, with: { what: "\${{ input.nmae }}" } }
`,
};

describe("flow-run validate", () => {
  it("shows all mistakes at once with place, code frame and hint, and ends with 2", async () => {
    const { code, stdout, stderr } = await flowRun(["validate"], { cwd: folderWith(MISTAKEN) });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`  flows/wrong.yaml:3:21
  3 |   - { id: one, run: sya, with: { what: x } }
    |                     ^^^
  hint: did you mean "say"?`);
    expect(stderr).toMatch(/flows\/wrong\.yaml:4:\d+/);
    expect(stderr).toMatch(/✗ 2 errors\n$/);
  });

  it("prints the same mistakes as JSON, as annotations and as SARIF, with paths from the repository's root", async () => {
    const cwd = folderWith(Object.fromEntries(Object.entries(MISTAKEN).map(([file, text]) => [`ai/${file}`, text])));
    execFileSync("git", ["init", "-q", cwd]);
    const [json, github, sarif] = await Promise.all(
      ["json", "github", "sarif"].map((format) => flowRun(["validate", "--project", "ai", "--format", format], { cwd })),
    );
    expect([json!.code, github!.code, sarif!.code]).toEqual([2, 2, 2]);
    const { diagnostics } = JSON.parse(json!.stdout) as { diagnostics: Found[] };
    expect(diagnostics.map(({ code, file, line }) => ({ code, file, line }))).toEqual([
      { code: "unknown-flow", file: "flows/wrong.yaml", line: 3 },
      { code: "unknown-field", file: "flows/wrong.yaml", line: 4 },
    ]);
    expect(github!.stdout).toMatch(/^::error file=ai\/flows\/wrong\.yaml,line=3,endLine=3,col=21,title=unknown-flow::.*\n::error file=ai/);
    const [run] = (JSON.parse(sarif!.stdout) as { runs: { results: { ruleId: string; locations: unknown[] }[] }[] }).runs;
    expect(run!.results.map(({ ruleId }) => ruleId)).toEqual(["unknown-flow", "unknown-field"]);
    expect(JSON.stringify(run!.results[0]!.locations)).toContain('"uri":"ai/flows/wrong.yaml"');
  });

  it("answers every kind of hostile file with a diagnostic of its own", async () => {
    const nines = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(",")}]\n`;
    const files: [string, string | Uint8Array, string[]][] = [
      [
        "flows/bomb.yaml",
        `${nines("a", "x")}${nines("b", "*a")}${nines("c", "*b")}${nines("d", "*c")}steps: [*d]\n`,
        ["unknown-key", "too-many-aliases", "invalid-value"],
      ],
      ["flows/deep.yaml", `input: ${"[".repeat(100_000)}`, ["too-deep"]],
      ["flows/empty.yaml", "", ["empty-file"]],
      ["flows/twice.yaml", "steps: []\nsteps: []\n", ["duplicate-key"]],
      ["flows/tab.yaml", "steps:\n\t- id: a\n", ["syntax"]],
      ["flows/protos.yaml", "steps:\n  - { id: __proto__, run: say, with: { what: a } }\n", ["invalid-value"]],
      ["flows/latin.yaml", new Uint8Array([0x69, 0x3a, 0x20, 0xff, 0xfe, 0x0a]), ["not-utf8"]],
      ["prompts/huge.prompt", "a".repeat(2_000_000), ["file-too-large"]],
    ];
    const cwd = folderWith({ ...SMALL_PROJECT, ...Object.fromEntries(files.map(([file, text]) => [file, text])) });
    fs.mkdirSync(path.join(cwd, "flows/folder.yaml"));
    fs.symlinkSync("/etc/passwd", path.join(cwd, "prompts/passwd.prompt"));
    execFileSync("mkfifo", [path.join(cwd, "prompts/pipe.prompt")]);
    const { code, stdout, stderr } = await flowRun(["validate", "--json"], { cwd });
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: Found[] };
    const codesOf = (file: string) => diagnostics.filter((found) => found.file === file).map((found) => found.code);
    for (const [file, , codes] of files) {
      expect(codesOf(file), file).not.toEqual([]);
      expect(
        codesOf(file).every((found) => codes.includes(found)),
        `${file}: ${codesOf(file)}`,
      ).toBe(true);
    }
    expect(codesOf("flows/folder.yaml")).toEqual(["not-a-file"]);
    expect(codesOf("prompts/pipe.prompt")).toEqual(["not-a-file"]);
    expect(codesOf("prompts/passwd.prompt")).toEqual(["file-outside-project"]);
  });

  it("takes a byte order mark and Windows line ends as they are meant", async () => {
    const flow = `\ufeff${SMALL_PROJECT["flows/both.yaml"].replaceAll("\n", "\r\n")}`;
    expect(await flowRun(["validate"], { cwd: folderWith({ ...SMALL_PROJECT, "flows/both.yaml": flow }) })).toMatchObject({
      code: 0,
      stderr: "",
    });
  });

  it("says where a project is missing, or which file has the wrong name", async () => {
    const cwd = folderWith({ "wrong/flow-run.yml": "name: x\n" });
    const [none, misnamed, nowhere] = await Promise.all([
      flowRun(["validate"], { cwd }),
      flowRun(["validate", "--project", "wrong"], { cwd }),
      flowRun(["validate", "--project", "nowhere"], { cwd }),
    ]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("flow-run init") });
    expect(misnamed).toMatchObject({ code: 2, stderr: expect.stringContaining("rename it to flow-run.yaml") });
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining("There is no folder") });
  });

  it.skipIf(!hasTerminal)("marks the place under wide characters, and shows control characters instead of obeying them", async () => {
    const text = `description: "日本語 \\e[31m"\nsteps:\n  - { id: a, "日本語\u001b[2J": 1 }\n`;
    const { stdout } = await flowRunOnTerminal(["validate"], { cwd: folderWith({ ...SMALL_PROJECT, "flows/wide.yaml": text }) });
    expect(stdout).not.toContain("\u001b[2J");
    expect(stdout).toMatch(/✗.* \d+ errors?/);
  });
});
