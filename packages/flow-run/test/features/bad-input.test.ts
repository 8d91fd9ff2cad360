import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "@flow-run/spec";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type DatabaseKind, type Installation, test, until } from "../support/installation.ts";

/** Runs that are too large, too many or endless: each ends with an error that says so, and the runs beside them do not notice. */

const MODEL = `name: bounds
providers: { wire: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none } }
models: { default: { use: wire/gpt-5-mini, retries: 0, timeout: 30s } }
`;

/** Flow number n runs number n + 1 twice. */
function nested(depth: number): { [file: string]: string } {
  const files: { [file: string]: string } = {};
  for (let n = 0; n < depth; n++) {
    files[`flows/deep_${n}.yaml`] = `steps:\n  - { id: a, run: deep_${n + 1} }\n  - { id: b, run: deep_${n + 1} }\n`;
  }
  files[`flows/deep_${depth}.yaml`] = "steps:\n  - { id: end, set: { a: 1 } }\n";
  return files;
}

function files(origin: string): { [file: string]: string } {
  return {
    "flow-run.yaml": MODEL,
    "prompts/say.prompt": "---\ninput: { schema: { text: string } }\n---\n{{text}}\n",
    "flows/canary.yaml":
      "input: { n: integer }\nsteps:\n  - { id: echo, set: { n: '${{ input.n }}' } }\noutput: { n: '${{ steps.echo.output.n }}' }\n",
    // 64 times its input with each step; the values share their parts, so that only their JSON is large.
    "flows/doubling.yaml": `input: { text: string }
steps:
  - { id: s1, set: { a: ["\${{ input.text }}", "\${{ input.text }}", "\${{ input.text }}", "\${{ input.text }}"] } }
  - { id: s2, set: { a: ["\${{ steps.s1.output }}", "\${{ steps.s1.output }}", "\${{ steps.s1.output }}", "\${{ steps.s1.output }}"] } }
  - { id: s3, set: { a: ["\${{ steps.s2.output }}", "\${{ steps.s2.output }}", "\${{ steps.s2.output }}", "\${{ steps.s2.output }}"] } }
  - { id: s4, set: { a: ["\${{ steps.s3.output }}", "\${{ steps.s3.output }}", "\${{ steps.s3.output }}", "\${{ steps.s3.output }}"] } }
`,
    "flows/caught.yaml":
      "input: { text: string }\nsteps:\n  - { id: big, run: doubling, with: { text: '${{ input.text }}' }, onError: continue }\n  - { id: after, set: { big: '${{ steps.big.output == null }}' } }\n",
    "flows/large_output.yaml": `input: { text: string }
steps:
  - { id: s1, set: { a: "\${{ input.text }}" } }
output: { a: ["\${{ steps.s1.output }}", "\${{ steps.s1.output }}"] , b: "\${{ [steps.s1.output, steps.s1.output] }}" }
`,
    // 300 KB in, 300 KB out, a thousand times.
    "flows/hoarder.yaml": `input: { text: string }
steps:
  - { id: again, repeat: { until: "\${{ false }}", max: 1000 }, set: { a: "\${{ input.text }}" } }
`,
    "flows/endless.yaml": `steps:
  - { id: outer, repeat: { until: "\${{ false }}", max: 1000 }, run: endless_inner, onError: continue }
`,
    "flows/endless_inner.yaml": `steps:
  - { id: inner, repeat: { until: "\${{ false }}", max: 1000 }, set: { a: 1 } }
`,
    "flows/each.yaml": `input: { ns(array): integer }
steps:
  - { id: each, forEach: "\${{ input.ns }}", as: n, concurrency: 100, set: { n: "\${{ n }}" } }
  - { id: sum, set: { size: "\${{ size(steps.each.output) }}", last: "\${{ steps.each.output[size(steps.each.output) - 1].n }}" } }
  - { id: hold, if: "\${{ size(input.ns) == 20000 }}", wait: { signal: hold, timeout: 1h } }
output: { size: "\${{ steps.sum.output.size }}", last: "\${{ steps.sum.output.last }}" }
`,
    "flows/wide.yaml": `steps:
  - parallel:
${Array.from({ length: 1_000 }, (_, n) => `      - { id: b${n}, set: { n: ${n} } }`).join("\n")}
output: { first: "\${{ steps.b0.output.n }}", last: "\${{ steps.b999.output.n }}" }
`,
    "flows/fetch.yaml": `input: { path: string }
steps:
  - { id: get, http: { url: "${origin}/\${{ input.path }}" } }
output: { size: "\${{ size(string(steps.get.output.body)) }}" }
`,
    ...nested(60),
  };
}

for (const database of ["postgres", "pglite"] as const satisfies readonly DatabaseKind[]) {
  describe(`bad input on ${database === "postgres" ? "PostgreSQL" : "the embedded database"}`, { timeout: 240_000 }, () => {
    const server = createServer((request, response) => {
      const bytes = Number(/\d+/.exec(request.url!)?.[0]);
      const body = request.url!.startsWith("/json") ? `${"[".repeat(bytes)}${"]".repeat(bytes)}` : "x".repeat(bytes);
      response.writeHead(200, { "content-type": request.url!.startsWith("/json") ? "application/json" : "text/plain" }).end(body);
    });
    let origin = "";
    beforeAll(async () => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => server.close());

    /** A server, and a canary: a run that is started again and again while `work` goes on. Returns how long the slowest took. */
    async function beside(installation: Installation, work: () => Promise<void>): Promise<number> {
      let over = false;
      let slowest = 0;
      const canary = (async () => {
        for (let n = 0; !over; n++) {
          const from = performance.now();
          const run = await installation.ended(await installation.submit(`canary-${n}`, { n }, "canary"));
          expect(run.output).toEqual({ n });
          slowest = Math.max(slowest, performance.now() - from);
        }
      })();
      try {
        await work();
      } finally {
        over = true;
        await canary;
      }
      return slowest;
    }

    test("is bounded, says what was too much, and leaves other runs alone", async ({ install }) => {
      const installation = await install({
        database,
        files: files(origin),
        script: { rules: [{ when: { contains: "long" }, answer: "y".repeat(10_000_000) }] },
      });
      await installation.startServer({ env: { FLOW_RUN_ALLOW_PRIVATE_NETWORK: "1" } });
      await installation.deploy();
      let keys = 0;
      const run = async (flow: string, input: Json = {}) =>
        installation.ended(await installation.submit(`key-${flow}-${keys++}`, input, flow), 180_000);
      const failed = (code: string, message: RegExp) => ({ status: "failed", error: { code, message: expect.stringMatching(message) } });

      const slowest = await beside(installation, async () => {
        const text = "x".repeat(100_000);
        expect(await run("doubling", { text })).toMatchObject(failed("too-large", /input of s4 .* 16 MB/));
        expect(await run("caught", { text })).toMatchObject({ status: "succeeded", output: { big: true } });
        expect(await run("large_output", { text: "x".repeat(900_000) })).toMatchObject({ status: "succeeded" });
        expect(await run("deep_0")).toMatchObject(failed("flows-too-deep", /50 deep/));
        expect(await run("wide")).toMatchObject({ output: { first: 0, last: 999 } });
        const ns = Array.from({ length: 100_000 }, (_, n) => n);
        expect(await run("each", { ns: [...ns, 0] })).toMatchObject(failed("too-many-items", /100001 elements, and 100000/));
        expect(await run("fetch", { path: "text/9000000" })).toMatchObject({ output: { size: 9_000_000 } });
        expect(await run("fetch", { path: "text/12000000" })).toMatchObject(failed("answer-too-large", /10000000 bytes/));
        expect(await run("fetch", { path: "json/5000" })).toMatchObject(failed("bad-answer", /200 deep/));
        expect(await run("say", { text: "long" })).toMatchObject({ status: "succeeded", output: "y".repeat(10_000_000) });
        // These take a while, and nothing about them depends on the database.
        if (database !== "postgres") return;
        expect(await run("each", { ns })).toMatchObject({ output: { size: 100_000, last: 99_999 } });
        expect(await run("hoarder", { text: "x".repeat(900_000) })).toMatchObject(failed("journal-too-large", /256 MB/));
        expect(await run("endless")).toMatchObject(failed("too-many-steps", /200000 steps/));
      });
      expect(slowest).toBeLessThan(15_000); // alone it takes milliseconds, and beside a run that is not bounded as long as that takes
    });

    test("a run of many steps is taken up again as it was", async ({ install }) => {
      const installation = await install({ database, files: files(origin) });
      const server = await installation.startServer();
      await installation.deploy();
      const ns = Array.from({ length: 20_000 }, (_, n) => n);
      const id = await installation.submit("many", { ns }, "each");
      await until(async () => (await installation.run(id)).status === "waiting", { what: "the run waits" });
      server.signal("SIGTERM");
      await server.ended;
      await installation.startServer();
      expect((await installation.request("POST", `/v1/runs/${id}/signals/hold`, { body: {} })).status).toBe(200);
      expect(await installation.ended(id)).toMatchObject({ status: "succeeded", output: { size: 20_000, last: 19_999 } });
    });
  });
}
