import { execFileSync } from "node:child_process";
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT, show, temporaryProject } from "./__fixtures__/temporary-project.ts";
import { findProjectRoot, readProject, readProjectFile } from "./index.ts";

const FLOW = "steps:\n  - { id: a, run: triage }\n";

async function read(files: { [path: string]: string | Buffer }) {
  const root = await temporaryProject(files);
  const result = await readProject(root);
  return { root, ...result, shown: result.diagnostics.map(show) };
}

describe("readProject", () => {
  it("reads every kind of definition, sorted by file", async () => {
    const { project, diagnostics } = await read({
      "prompts/triage.prompt": "---\nmodel: default\n---\nHello {{name}}\n",
      "prompts/answer.prompt": "Plain {{text}}\n",
      "prompts/_style.prompt": "Be kind.\n",
      "flows/reply.yaml": FLOW,
      "agents/support.yaml": "prompt: triage\ntools: [lookup, docs.search]\n",
      "tools/lookup.yaml": "description: Look up\nhttp: { url: 'https://example.com' }\n",
      "evals/quality.yaml": "flow: triage\ncases: ../datasets/triage.jsonl\nchecks:\n  - contains: Paris\n",
      "datasets/triage.jsonl": '{"input":{}}\n',
      "docs/notes.yaml": "not: [ours\n",
    });
    expect(diagnostics).toEqual([]);
    expect(project).toMatchObject({
      project: { kind: "project", name: "shop", value: { name: "shop" } },
      prompts: [
        { name: "answer", value: {}, body: "Plain {{text}}\n", bodyStart: 0 },
        { name: "triage", kind: "prompt", value: { model: "default" }, body: "Hello {{name}}", bodyStart: 23 },
      ],
      partials: [{ name: "style", file: { path: "prompts/_style.prompt", text: "Be kind.\n" } }],
      workflows: [{ name: "reply", source: { file: { path: "flows/reply.yaml" } } }],
      agents: [{ name: "support" }],
      tools: [{ name: "lookup" }],
      evals: [{ name: "quality" }],
      broken: [],
    });
    expect([...project!.assets]).toEqual([["datasets/triage.jsonl", '{"input":{}}\n']]);
  });

  it("reports mistakes of all files at once and keeps what can be read", async () => {
    const { project, shown, textOf } = await read({
      "flows/bad.yaml": "steps: [\n",
      "flows/good.yaml": FLOW,
      "flows/wrong.yaml": "step: []\n",
      "prompts/p.prompt": "---\nmodle: x\n---\nHi",
    });
    expect(shown).toEqual([
      expect.stringContaining("flows/bad.yaml:2:1-2:2 syntax: "),
      'flows/wrong.yaml:1:1-1:5 unknown-key: unknown key "step" [did you mean "steps"?]',
      'prompts/p.prompt:2:1-2:6 unknown-key: unknown key "modle" [did you mean "model"?]',
    ]);
    expect(project?.workflows.map((flow) => flow.name)).toEqual(["good"]);
    expect(project?.broken).toEqual([
      { kind: "prompt", name: "p", file: "prompts/p.prompt" },
      { kind: "workflow", name: "bad", file: "flows/bad.yaml" },
      { kind: "workflow", name: "wrong", file: "flows/wrong.yaml" },
    ]);
    expect(textOf("flows/bad.yaml")).toBe("steps: [\n");
    expect(textOf("flows/none.yaml")).toBeUndefined();
  });

  it("gives no project when flow-run.yaml has mistakes, and reports the other files all the same", async () => {
    const { project, shown } = await read({ "flow-run.yaml": "nam: shop\n", "flows/bad.yaml": "steps: {}\n" });
    expect(project).toBeNull();
    expect(shown).toEqual([
      'flow-run.yaml:1:1-1:4 unknown-key: unknown key "nam" [did you mean "name"?]',
      "flows/bad.yaml:1:8-1:10 invalid-value: steps must be a list, not a map",
    ]);
  });

  it("says what to do when there is no project file, or one of another name", async () => {
    const root = await temporaryProject({ "flow-run.yml": PROJECT });
    await rm(join(root, "flow-run.yaml"));
    expect((await readProject(root)).diagnostics.map(show)).toEqual([
      "flow-run.yaml:1:1-1:1 missing-project-file: there is no flow-run.yaml in the project's folder [rename flow-run.yml to flow-run.yaml]",
    ]);
    expect((await readProject(join(root, "nowhere"))).diagnostics).toMatchObject([{ code: "missing-project-file" }]);
  });

  it("reports an empty file", async () => {
    const { shown } = await read({ "flows/empty.yaml": "", "flows/comment.yaml": "# nothing yet\n" });
    expect(shown).toEqual([
      expect.stringContaining("flows/comment.yaml:1:1-1:1 empty-file"),
      expect.stringContaining("flows/empty.yaml:1:1-1:1 empty-file"),
    ]);
  });

  it("checks what schemas cannot say of tools and evals", async () => {
    const { shown, project } = await read({
      "tools/both.yaml": "run: a\nhttp: { url: 'https://x' }\n",
      "tools/none.yaml": "description: x\n",
      "tools/with.yaml": "http: { url: 'https://x' }\nwith: {}\n",
      "evals/e.yaml": "flow: a\ncases: [{ input: 1 }]\nchecks:\n  - name: nothing\n  - { equals: 1, contains: a }\n",
    });
    expect(shown).toEqual([
      expect.stringContaining("evals/e.yaml:4:5-4:18 missing-key: a check needs one of equals"),
      expect.stringContaining("evals/e.yaml:5:18-5:26 not-together: a check has one of"),
      "tools/both.yaml:1:1-1:4 not-together: a tool has one of http, mcp, run; here are http and run [make two of it]",
      "tools/none.yaml:1:1-1:15 missing-key: a tool needs one of http, mcp, run",
      "tools/with.yaml:2:1-2:5 not-together: with belongs to run [remove it]",
    ]);
    expect(project?.tools).toEqual([]);
    expect(project?.broken).toHaveLength(4);
  });

  it("warns of a provider's key that is nearly a known one", async () => {
    const { diagnostics } = await read({ "flow-run.yaml": "name: a\nproviders:\n  o: { type: openai, apikey: x, organisationHint: y }\n" });
    expect(diagnostics).toMatchObject([
      { code: "unknown-key", severity: "warning", line: 3, column: 22, endColumn: 28, hint: 'did you mean "apiKey"?' },
    ]);
  });

  it("checks the simulator's settings and its script, each in its file", async () => {
    const { shown, project } = await read({
      "flow-run.yaml": "name: a\nproviders:\n  s: { type: simulator, sed: 1 }\n",
    });
    expect(project).toBeNull();
    expect(shown).toEqual(['flow-run.yaml:3:25-3:28 unknown-key: unknown key "sed" [did you mean "seed"?]']);
    const scripted = await read({
      "flow-run.yaml": "name: a\nproviders:\n  s: { type: simulator, script: sim/script.yaml }\n",
      "sim/script.yaml": "rules:\n  - anser: x\n",
    });
    expect(scripted.shown).toEqual(['sim/script.yaml:2:5-2:10 unknown-key: unknown key "anser" [did you mean "answer"?]']);
    expect(scripted.textOf("sim/script.yaml")).toContain("anser");
  });

  it("refuses a hundred thousand steps without reading them all", async () => {
    const { diagnostics } = await read({ "flows/long.yaml": `steps:\n${"- {run: a}\n".repeat(90_000)}` });
    expect(diagnostics).toMatchObject([{ code: "file-too-large", message: "the document has too many parts" }]);
  });

  it("reads a thousand definitions", async () => {
    const files: { [path: string]: string } = {};
    for (let index = 0; index < 500; index += 1) {
      files[`prompts/p${index}.prompt`] = "---\ninput: { schema: { ticket: string } }\n---\n{{ticket}}";
      files[`flows/f${index}.yaml`] = FLOW;
    }
    const { project, diagnostics } = await read(files);
    expect(diagnostics).toEqual([]);
    expect(project?.prompts).toHaveLength(500);
    expect(project?.workflows).toHaveLength(500);
  });
});

describe("files that are not what they should be", () => {
  it("are reported: a directory in a file's place", async () => {
    const root = await temporaryProject({});
    await mkdir(join(root, "flows/dir.yaml"), { recursive: true });
    await mkdir(join(root, "prompts/dir.prompt"), { recursive: true });
    const { diagnostics, project } = await readProject(root);
    expect(diagnostics).toMatchObject([
      { code: "not-a-file", file: "flows/dir.yaml", message: "this is a directory, not a file" },
      { code: "not-a-file", file: "prompts/dir.prompt" },
    ]);
    expect(project?.broken).toHaveLength(2);
  });

  it("are reported: a file in a folder's place", async () => {
    const { diagnostics } = await read({ flows: "x" });
    expect(diagnostics).toMatchObject([{ code: "not-a-folder", file: "flows" }]);
  });

  it("are reported: flow-run.yaml is a directory", async () => {
    const root = await temporaryProject({});
    await rm(join(root, "flow-run.yaml"));
    await mkdir(join(root, "flow-run.yaml"));
    expect((await readProject(root)).diagnostics).toMatchObject([{ code: "not-a-file", file: "flow-run.yaml" }]);
  });

  it("are reported without waiting: a named pipe", async () => {
    const root = await temporaryProject({});
    await mkdir(join(root, "flows"));
    execFileSync("mkfifo", [join(root, "flows/pipe.yaml")]);
    expect((await readProject(root)).diagnostics).toMatchObject([{ code: "not-a-file", file: "flows/pipe.yaml" }]);
  });

  it("are reported: larger than 1 MiB", async () => {
    const { diagnostics } = await read({ "flows/big.yaml": `# ${"x".repeat(1024 * 1024)}\n` });
    expect(diagnostics).toMatchObject([{ code: "file-too-large", file: "flows/big.yaml", message: "the file is larger than 1 MiB" }]);
  });

  it("are refused: symbolic links out of the project, also those of a folder and of flow-run.yaml", async () => {
    const outside = await temporaryProject({ "secret.yaml": FLOW, "folder/f.yaml": FLOW });
    const root = await temporaryProject({ "shared/inside.yaml": FLOW });
    await mkdir(join(root, "flows"));
    await symlink(join(outside, "secret.yaml"), join(root, "flows/secret.yaml"));
    await symlink("/dev/zero", join(root, "flows/zero.yaml"));
    await symlink(join(outside, "folder"), join(root, "tools"));
    await symlink(join(root, "shared/inside.yaml"), join(root, "flows/inside.yaml"));
    await symlink("loop.yaml", join(root, "flows/loop.yaml"));
    await symlink("nowhere.yaml", join(root, "flows/dangling.yaml"));
    const { diagnostics, project } = await readProject(root);
    expect(diagnostics).toMatchObject([
      { code: "file-not-found", file: "flows/dangling.yaml" },
      { code: "unreadable-file", file: "flows/loop.yaml" },
      { code: "file-outside-project", file: "flows/secret.yaml" },
      { code: "file-outside-project", file: "flows/zero.yaml" },
      { code: "file-outside-project", file: "tools" },
    ]);
    expect(project?.workflows.map((flow) => flow.name)).toEqual(["inside"]);
    expect(project?.broken.map((broken) => broken.name)).toEqual(["dangling", "loop", "secret", "zero"]);
    await rm(join(root, "flow-run.yaml"));
    await symlink(join(outside, "flow-run.yaml"), join(root, "flow-run.yaml"));
    expect((await readProject(root)).diagnostics).toContainEqual(
      expect.objectContaining({ code: "file-outside-project", file: "flow-run.yaml" }),
    );
  });

  it("may stand in a project that is itself reached by a symbolic link", async () => {
    const root = await temporaryProject({ "flows/a.yaml": FLOW });
    const link = `${root}-link`;
    await symlink(root, link);
    try {
      expect((await readProject(link)).diagnostics).toEqual([]);
    } finally {
      await rm(link);
    }
  });

  // The superuser may read everything.
  it.skipIf(process.getuid?.() === 0)("are reported: may not be read", async () => {
    const root = await temporaryProject({ "flows/locked.yaml": FLOW });
    await chmod(join(root, "flows/locked.yaml"), 0);
    expect((await readProject(root)).diagnostics).toMatchObject([{ code: "unreadable-file", file: "flows/locked.yaml" }]);
  });

  it("are reported: not UTF-8, at the first bad byte", async () => {
    const { shown } = await read({
      "flows/latin.yaml": Buffer.from("description: a\nname: gr\xfcn\n", "latin1"),
      "flows/utf16.yaml": Buffer.from("\uFEFFsteps: []\n", "utf16le"),
      "flows/nul.yaml": "steps: \0\n",
    });
    expect(shown).toEqual([
      "flows/latin.yaml:2:9-2:10 not-utf8: the file is not UTF-8 from here [save it as UTF-8]",
      expect.stringContaining("flows/nul.yaml:1:8-1:9 not-text"),
      "flows/utf16.yaml:1:1-1:1 not-utf8: the file is UTF-16, not UTF-8 [save it as UTF-8]",
    ]);
  });

  it("read the same with a byte order mark and CRLF, at the same places", async () => {
    const plain = "---\ndescription: |\n  one\n  two\nmodel: fast\n---\n\nHello\n{{a}}\n";
    const windows = `\uFEFF${plain.replaceAll("\n", "\r\n")}`;
    const { project, diagnostics } = await read({ "prompts/a.prompt": plain, "prompts/b.prompt": windows });
    expect(diagnostics).toEqual([]);
    const [a, b] = project!.prompts;
    expect(b!.value).toEqual(a!.value);
    expect(b!.body).toBe(a!.body);
    expect(b!.source.file.text).toBe(a!.source.file.text);
    const broken = await read({ "flows/w.yaml": "\uFEFFdescription: x\r\nstep: []\r\n" });
    expect(broken.shown).toEqual(['flows/w.yaml:2:1-2:5 unknown-key: unknown key "step" [did you mean "steps"?]']);
  });
});

describe("names and places", () => {
  it("hint at files that are not read", async () => {
    const { shown, project } = await read({
      "flows/a.yml": FLOW,
      "flows/b.prompt": "x",
      "prompts/c.yaml": "x: 1",
      "prompts/deep/d.prompt": "x",
      "e.prompt": "x",
      "flows/README.md": "x",
      "flows/.hidden.yaml": "x",
    });
    expect(shown).toEqual([
      "e.prompt:1:1-1:1 misplaced-file: prompts outside of prompts/ are not read [move it to prompts/e.prompt]",
      "flows/a.yml:1:1-1:1 misplaced-file: files in flows/ end in .yaml; this one is not read [rename it to flows/a.yaml]",
      "flows/b.prompt:1:1-1:1 misplaced-file: files in flows/ end in .yaml; this one is not read [rename it to prompts/b.prompt]",
      "prompts/c.yaml:1:1-1:1 misplaced-file: files in prompts/ end in .prompt; this one is not read [rename it to prompts/c.prompt]",
      "prompts/deep/d.prompt:1:1-1:1 misplaced-file: folders inside prompts/ are not read [move it to prompts/d.prompt]",
    ]);
    expect(project?.workflows).toEqual([]);
  });

  it("must be names", async () => {
    const { diagnostics } = await read({
      "flows/two words.yaml": FLOW,
      "flows/constructor.yaml": FLOW,
      "flows/__proto__.yaml": FLOW,
      "prompts/a.b.prompt": "x",
      "prompts/_.prompt": "x",
      "flows/\u001b[31m.yaml": FLOW,
    });
    expect(diagnostics.map(({ file, code }) => [file, code])).toEqual([
      ["flows/\u001b[31m.yaml", "invalid-name"],
      ["flows/__proto__.yaml", "invalid-name"],
      ["flows/constructor.yaml", "invalid-name"],
      ["flows/two words.yaml", "invalid-name"],
      ["prompts/_.prompt", "invalid-name"],
      ["prompts/a.b.prompt", "invalid-name"],
    ]);
  });

  it("may not differ only by case", async () => {
    const { diagnostics } = await read({ "flows/Reply.yaml": FLOW, "flows/reply.yaml": FLOW });
    expect(diagnostics).toMatchObject([{ code: "name-collision", file: "flows/reply.yaml" }]);
  });
});

describe("files that definitions name", () => {
  const evalOf = (path: string) => `flow: a\ncases: ${JSON.stringify(path)}\nchecks: [{ contains: x }]\n`;

  it("are refused outside of the project, by path or by symbolic link", async () => {
    const outside = await temporaryProject({ "cases.jsonl": "{}" });
    const root = await temporaryProject({
      "evals/absolute.yaml": evalOf("/etc/passwd"),
      "evals/linked.yaml": evalOf("../datasets/link.jsonl"),
      "evals/up.yaml": evalOf("../../etc/passwd"),
      "datasets/a.jsonl": "{}",
    });
    await symlink(join(outside, "cases.jsonl"), join(root, "datasets/link.jsonl"));
    const { diagnostics, project } = await readProject(root);
    expect(diagnostics).toMatchObject([
      { code: "file-outside-project", file: "evals/absolute.yaml", line: 2, column: 8, endColumn: 21 },
      { code: "file-outside-project", file: "evals/linked.yaml" },
      { code: "file-outside-project", file: "evals/up.yaml" },
    ]);
    expect(project?.assets.size).toBe(0);
  });

  it("are reported where they are named when they are missing", async () => {
    const { shown } = await read({ "evals/e.yaml": evalOf("../datasets/none.jsonl") });
    expect(shown).toEqual(['evals/e.yaml:2:8-2:32 file-not-found: "../datasets/none.jsonl": there is no such file']);
  });

  it("are reported in place when they are not text", async () => {
    const { diagnostics } = await read({ "evals/e.yaml": evalOf("x.jsonl"), "evals/x.jsonl": Buffer.from([0x7b, 0x0a, 0xff]) });
    expect(diagnostics).toMatchObject([{ code: "not-utf8", file: "evals/x.jsonl", line: 2, column: 1 }]);
  });
});

describe("findProjectRoot", () => {
  it("walks up to flow-run.yaml", async () => {
    const root = await temporaryProject({ "prompts/deep/x.txt": "" });
    expect(await findProjectRoot(join(root, "prompts/deep"))).toBe(root);
    expect(await findProjectRoot(join(root, "prompts/deep/x.txt"))).toBe(root);
    expect(await findProjectRoot(root)).toBe(root);
  });
  it("gives null when there is none", async () => {
    expect(await findProjectRoot("/")).toBeNull();
  });
});

describe("readProjectFile", () => {
  it("gives the project file alone, or null when it has mistakes", async () => {
    const root = await temporaryProject({ "flows/bad.yaml": "[" });
    expect(await readProjectFile(root)).toMatchObject({ name: "shop" });
    await writeFile(join(root, "flow-run.yaml"), "nam: x\n");
    expect(await readProjectFile(root)).toBeNull();
  });
});
