import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { flowRun, folderWith, SMALL_PROJECT } from "../support/command-line.ts";

describe("flow-run init", () => {
  it("makes a project that validates and runs at once, with schemas for editors", async () => {
    const cwd = folderWith();
    const made = await flowRun(["init", "my flows"], { cwd });
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toContain("cd 'my flows'");
    const root = path.join(cwd, "my flows");
    for (const file of ["flow-run.yaml", "flows/welcome.yaml"]) {
      const [, schema] = /^# yaml-language-server: \$schema=(.*)\n/.exec(fs.readFileSync(path.join(root, file), "utf8"))!;
      expect(fs.existsSync(path.resolve(root, path.dirname(file), schema!))).toBe(true);
    }
    const [validated, ran, rendered] = await Promise.all([
      flowRun(["validate"], { cwd: root }),
      flowRun(["run", "welcome", "name=Ada", "--json"], { cwd: path.join(root, "flows") }),
      flowRun(["render", "greet", "name=Ada"], { cwd: root }),
    ]);
    expect(validated).toMatchObject({ code: 0, stdout: "✓ 3 flows valid\n", stderr: "" });
    expect(JSON.parse(ran.stdout)).toMatchObject({ status: "succeeded", output: { greeting: expect.stringContaining("Ada") } });
    expect(rendered.stdout).toContain("Greet Ada.");
    expect(parse(fs.readFileSync(path.join(root, "flow-run.yaml"), "utf8")).name).toBe("my-flows");
  });

  it("overwrites nothing: refuses a project, a file and a folder with files, and adds to the latter with --force", async () => {
    const cwd = folderWith({ "project/flow-run.yaml": "name: mine\n", "full/flows/welcome.yaml": "mine", file: "text" });
    const [again, full, file] = await Promise.all([
      flowRun(["init", "project"], { cwd }),
      flowRun(["init", "full", "--json"], { cwd }),
      flowRun(["init", "file"], { cwd }),
    ]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("is a flow-run project already") });
    expect(full.code).toBe(2);
    expect(JSON.parse(full.stdout)).toMatchObject({ error: { code: "folder-not-empty", message: expect.stringContaining("--force") } });
    expect(file).toMatchObject({ code: 2, stderr: expect.stringContaining("is a file") });
    const forced = await flowRun(["init", "full", "--force", "--json"], { cwd });
    expect(JSON.parse(forced.stdout)).toMatchObject({ kept: ["flows/welcome.yaml"] });
    expect(fs.readFileSync(path.join(cwd, "full/flows/welcome.yaml"), "utf8")).toBe("mine");
  });

  it("adds a pipeline in the repository's root that checks changes and deploys the main branch", async () => {
    const cwd = folderWith({ "ai/flow-run.yaml": SMALL_PROJECT["flow-run.yaml"] });
    execFileSync("git", ["init", "-q", cwd]);
    const [github, gitlab] = [
      await flowRun(["init", "ai", "--ci", "github"], { cwd }),
      await flowRun(["init", "ai", "--ci", "gitlab"], { cwd }),
    ];
    expect([github.code, gitlab.code]).toEqual([0, 0]);
    const actions = parse(fs.readFileSync(path.join(cwd, ".github/workflows/flow-run.yml"), "utf8"));
    expect(actions.on.pull_request.paths).toEqual(["ai/**"]);
    expect(actions.on.push).toEqual({ branches: ["main"], paths: ["ai/**"] });
    expect(actions.jobs.validate.steps.at(-1).run).toBe("npx --yes flow-run validate --format github --project ai");
    const deploy = actions.jobs.deploy.steps.at(-1);
    expect(deploy.run).toContain("flow-run deploy --env prod");
    expect(deploy.env).toMatchObject({ FLOW_RUN_URL: "${{ secrets.FLOW_RUN_URL }}", FLOW_RUN_API_KEY: "${{ secrets.FLOW_RUN_API_KEY }}" });
    const lab = parse(fs.readFileSync(path.join(cwd, ".gitlab-ci.yml"), "utf8"));
    expect(lab["flow-run-deploy"].script.join()).toContain("deploy --env prod");
    expect(lab["flow-run-validate"].rules[0].if).toContain("merge_request_event");
  });
});
