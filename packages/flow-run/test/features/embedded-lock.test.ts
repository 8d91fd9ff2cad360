import { describe, expect } from "vitest";
import { test } from "../support/installation.ts";

describe("the embedded database serves one process", () => {
  test("a second server on its directory ends at once with 75 and names the process that has it, and a killed holder leaves it free", {
    timeout: 180_000,
  }, async ({ install }) => {
    const installation = await install({ database: "pglite" });
    const holder = await installation.startServer();
    await installation.deploy();
    const id = await installation.submit("before", { text: "before" });
    await installation.ended(id);

    const second = await installation.command(["server", "--port", "0", "--data-dir", installation.dataDir]);
    expect(second.code).toBe(75);
    expect(second.stderr).toContain(`process ${holder.pid}`);
    expect(second.stderr).toContain("--data-dir");
    expect(second.stdout).toBe("");
    expect(await installation.run(id)).toMatchObject({ status: "succeeded" });

    holder.signal("SIGSTOP"); // frozen is not gone
    expect((await installation.command(["server", "--port", "0", "--data-dir", installation.dataDir])).code).toBe(75);

    await holder.kill();
    await installation.startServer();
    expect(await installation.run(id)).toMatchObject({ status: "succeeded" });
    await installation.ended(await installation.submit("after", { text: "after" }));
  });
});
