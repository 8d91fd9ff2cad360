import fs from "node:fs";
import path from "node:path";
import { isProblemCode } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { flowRun, folderWith } from "../support/command-line.ts";

const root = path.join(import.meta.dirname, "../../../..");
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8");

/** Where sources say which code a diagnostic has. */
const CODES = [
  /\bcode:\s*"([a-z0-9-]+)"/g,
  /\bcode: [^,\n{}]*\? "([a-z0-9-]+)" : "([a-z0-9-]+)"/g,
  /[rR]eport\((?:\w+, \w+, )?\s*"([a-z0-9-]+)"/g,
  /\breport\(\s*walk,\s*\w+,\s*"([a-z0-9-]+)"/g,
  /this\.add\(\s*"([a-z0-9-]+)"/g,
  /(?:"error"|"warning"|severity),\s*"((?:[a-z0-9]+-)+[a-z0-9]+|syntax|cycle)"/g,
];

function codesInSources(): string[] {
  const folders = ["packages/flow-run/src/compile", "packages/flow-run/src/project"];
  const files = folders.flatMap((folder) =>
    fs.globSync("**/*.ts", { cwd: path.join(root, folder) }).map((file) => path.join(folder, file)),
  );
  const texts = files.filter((file) => !/\.test\.ts$|__fixtures__/.test(file)).map(read);
  const found = texts.flatMap((text) =>
    CODES.flatMap((pattern) => [...text.matchAll(pattern)].flatMap(([, ...codes]) => codes.filter(Boolean))),
  );
  return [...new Set(found as string[])].sort();
}

describe("documents", () => {
  it("list every diagnostic's code once, and none that does not exist", () => {
    const listed = [...read("docs/reference/diagnostics.md").matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, code]) => code!);
    expect(listed.toSorted()).toEqual(codesInSources());
  });

  it("name every command and option in the reference of the command line", async () => {
    const cwd = folderWith();
    const reference = read("docs/reference/cli.md");
    const commandsOf = (help: string) =>
      [...help.matchAll(/^ {2}([a-z]+)(?: .*)?$/gm)].map(([, name]) => name!).filter((name) => name !== "flow" && name !== "the");
    const top = (await flowRun(["--help"], { cwd })).stdout;
    const names = commandsOf(top.slice(top.indexOf("Write and try:"), top.indexOf("Begin with:")));
    expect(names).toContain("simulator");
    const below = ["releases", "runs", "webhooks", "keys"];
    const paths = await Promise.all(
      names.map(async (name) => {
        if (!below.includes(name)) return [[name]];
        const help = (await flowRun([name, "--help"], { cwd })).stdout;
        return commandsOf(help.slice(help.indexOf("Commands:"), help.indexOf("\nExample"))).map((command) => [name, command]);
      }),
    );
    const known = new Set(["--help", "--json"]);
    await Promise.all(
      paths.flat().map(async (words) => {
        expect(reference).toContain(`\`${words.join(" ")}`);
        const help = (await flowRun([...words, "--help"], { cwd })).stdout;
        for (const [, option] of help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)) {
          if (option !== "--help") expect(reference, words.join(" ")).toContain(option);
          known.add(option!);
        }
      }),
    );
    const written = [...reference.matchAll(/(?<![-\w])--[a-z][a-z-]+/g)].map(([option]) => option);
    expect(written.filter((option) => !known.has(option))).toEqual([]);
  });

  it("name only problems that a server answers with", () => {
    const guide = read("docs/guide/http.md");
    const table = guide.slice(guide.indexOf("| status | type |"), guide.indexOf("A flow that *fails*"));
    const named = [...table.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code!);
    expect(named).toContain("rate-limited");
    expect(named.filter((code) => !isProblemCode(code))).toEqual([]);
  });

  it("link only to files that exist", () => {
    const files = ["README.md", ...fs.globSync("docs/**/*.md", { cwd: root })];
    const broken = files.flatMap((file) =>
      [...read(file).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => path.join(path.dirname(file), target!))
        .filter((target) => !fs.existsSync(path.join(root, target)))
        .map((target) => `${file}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});
