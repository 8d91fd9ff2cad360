import { describe, expect, it } from "vitest";
import { flowRun, folderWith, SMALL_PROJECT } from "../support/command-line.ts";

const LONELY = `---
model: googleai/gemini-2.5-flash
config: { temperature: 0.5 }
input: { schema: { who: string } }
output: { format: json, schema: { ok: boolean } }
---
{{role "system"}}Be brief.
{{role "user"}}Look, {{who}}: {{media url="https://example.com/a.png" contentType="image/png"}}`;

describe("flow-run render", () => {
  it("prints the messages and the exact request of a project's prompt, without a key", async () => {
    const cwd = folderWith(SMALL_PROJECT);
    const [person, json, simulated] = await Promise.all([
      flowRun(["render", "paid", "what=hello"], { cwd }),
      flowRun(["render", "paid", "what=hello", "--json"], { cwd, env: { VENDOR_KEY: "sk-secret" } }),
      flowRun(["render", "say", "what=hello", "--json"], { cwd }),
    ]);
    expect(person.stdout).toMatch(
      /^user\nSay hello\.\n\nrequest to vendor\/gpt-5-mini, not sent\nPOST https:\/\/api\.openai\.com\/v1\/responses\n\{/,
    );
    expect(json.stdout).not.toContain("sk-secret");
    expect(JSON.parse(json.stdout)).toMatchObject({
      model: "vendor/gpt-5-mini",
      config: {},
      messages: [{ role: "user", content: [{ text: "Say hello." }] }],
      output: { format: "text" },
      request: { method: "POST", body: { model: "gpt-5-mini" } },
    });
    expect(JSON.parse(simulated.stdout)).toMatchObject({
      model: "sim/small",
      messages: [
        { role: "system", content: [{ text: "Be brief.\n" }] },
        { role: "user", content: [{ text: "Say hello." }] },
      ],
      request: null,
    });
  });

  it("renders a file outside of any project with the model as it is written", async () => {
    const cwd = folderWith({
      "a.prompt": LONELY,
      "b.prompt": "---\nmodel: mine\n---\nHi {{who}}",
      "c.prompt": "Hi {{who}}{{>sign}}",
      "_sign.prompt": ", yours",
    });
    const [a, b, c] = await Promise.all(
      ["a", "b", "c"].map(async (name) => JSON.parse((await flowRun(["render", `${name}.prompt`, "who=Ada", "--json"], { cwd })).stdout)),
    );
    expect(a).toMatchObject({
      model: "googleai/gemini-2.5-flash",
      config: { temperature: 0.5 },
      messages: [
        { role: "system", content: [{ text: "Be brief.\n" }] },
        { role: "user", content: [{ text: "Look, Ada: " }, { media: { url: "https://example.com/a.png", contentType: "image/png" } }] },
      ],
      output: { format: "json", schema: { properties: { ok: { type: "boolean" } } } },
      request: { url: expect.stringContaining("gemini-2.5-flash") },
    });
    expect(b).toMatchObject({ model: "mine", messages: [{ role: "user", content: [{ text: "Hi Ada" }] }], request: null });
    expect(c).toMatchObject({ model: null, messages: [{ role: "user", content: [{ text: "Hi Ada, yours" }] }] });
  });

  it("shows what the Dotprompt specification shows: sections among the parts, settings as they are written, a prompt without its input", async () => {
    const cwd = folderWith({
      "sections.prompt": '{{section "intro"}}\nHello\n{{section "end"}}\nBye',
      "hot.prompt": "---\nconfig: { temperature: 3 }\ninput: { schema: string }\n---\nHello, world.",
    });
    const [sections, hot] = await Promise.all(
      ["sections", "hot"].map(async (name) => JSON.parse((await flowRun(["render", `${name}.prompt`, "--json"], { cwd })).stdout)),
    );
    const section = (purpose: string) => ({ metadata: { purpose, pending: true } });
    expect(sections.messages).toEqual([
      { role: "user", content: [section("intro"), { text: "\nHello\n" }, section("end"), { text: "\nBye" }] },
    ]);
    expect(hot).toMatchObject({ config: { temperature: 3 }, messages: [{ role: "user", content: [{ text: "Hello, world." }] }] });
  });

  it("uses the models of an environment, and of --model", async () => {
    const config = `${SMALL_PROJECT["flow-run.yaml"]}environments: { prod: { models: { default: vendor/gpt-5 } } }\n`;
    const cwd = folderWith({ ...SMALL_PROJECT, "flow-run.yaml": config });
    const model = async (...args: string[]) =>
      JSON.parse((await flowRun(["render", "say", "what=x", "--json", ...args], { cwd })).stdout).model as string;
    expect(
      await Promise.all([
        model(),
        model("--env", "prod"),
        model("--model", "default=vendor/o9"),
        model("--env", "prod", "--model", "default=paid"),
      ]),
    ).toEqual(["sim/small", "vendor/gpt-5", "vendor/o9", "vendor/gpt-5-mini"]);
  });

  it("says what cannot be rendered, and ends with 2", async () => {
    const cwd = folderWith({ ...SMALL_PROJECT, "broken.prompt": "Hi {{who" });
    const cases: [string[], RegExp][] = [
      [["both"], /^error: both is a workflow; only prompts can be rendered/],
      [["sya"], /^error: There is no prompt "sya"\. Did you mean "say"\?/],
      [["none.prompt"], /^error: There is no file none\.prompt\./],
      [
        ["broken.prompt"],
        /^error \[syntax\].*\n {2}broken\.prompt:1:\d+\n[\s\S]*\nerror: broken\.prompt has 1 error; nothing was done\.\n$/,
      ],
      [["say"], /must have the property "what"/],
      [["say", "what=x", "--env", "prdo"], /^error: The project has no environment "prdo"\./],
    ];
    await Promise.all(
      cases.map(async ([args, sentence]) => {
        const { code, stdout, stderr } = await flowRun(["render", ...args], { cwd });
        expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
        expect(stderr).toMatch(sentence);
      }),
    );
  });
});
