import { Webhook } from "standardwebhooks";
import { describe, expect, onTestFinished } from "vitest";
import { type DatabaseKind, test } from "../support/installation.ts";
import { startReceiver } from "../support/webhook-receiver.ts";

const ENV = { FLOW_RUN_ALLOW_PRIVATE_NETWORK: "1" };

describe.each(["postgres", "pglite"] satisfies DatabaseKind[])("a server that is killed while a webhook is on its way (%s)", (database) => {
  test("sends it again after its restart, under the same id", async ({ install }) => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.close());
    const installation = await install({ database });
    const first = await installation.startServer({ env: ENV });
    await installation.deploy();
    receiver.at("/hook", () => {});
    const response = await installation.request("POST", "/v1/flows/chain/runs", {
      body: { input: { text: "a" }, webhook: { url: `${receiver.url}/hook`, includeOutput: true } },
    });
    const { id } = (await response.json()) as { id: string };
    await receiver.received("/hook", 1);
    await first.kill();

    receiver.at("/hook", (answer) => answer.writeHead(200).end());
    await installation.startServer({ env: ENV });
    const [before, after] = await receiver.received("/hook", 2);
    expect(after!.headers["webhook-id"]).toBe(before!.headers["webhook-id"]);
    expect(after!.body).toBe(before!.body);
    const { secret } = (await (await installation.request("GET", "/v1/webhooks/secret")).json()) as { secret: string };
    expect(new Webhook(secret).verify(after!.body, after!.headers)).toMatchObject({
      type: "run.succeeded",
      data: { id, status: "succeeded" },
    });
  }, 120_000);
});
