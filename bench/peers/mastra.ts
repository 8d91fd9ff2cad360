// Mastra: a workflow of three steps on its default engine with snapshots in PostgreSQL after each step.
// Settings: a pool of 20 connections (of 10, 20 and 40 none is faster on two cores), no checks of inputs, no log.
import { Mastra } from "@mastra/core";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { PostgresStore } from "@mastra/pg";
import { z } from "zod";
import { contest } from "./contestant.ts";

await contest(async (order, call) => {
  const shape = z.object({ text: z.string() });
  const step = (id: string) =>
    createStep({
      id,
      inputSchema: shape,
      outputSchema: shape,
      execute: async ({ inputData }: { inputData: { text: string } }) => ({ text: await call(inputData.text) }),
    });
  const w3 = createWorkflow({ id: "w3", inputSchema: shape, outputSchema: shape, options: { validateInputs: false } })
    .then(step("one"))
    .then(step("two"))
    .then(step("three"))
    .commit();
  const storage = new PostgresStore({ id: "bench", connectionString: order.databaseUrl, max: 20 });
  await storage.init();
  const mastra = new Mastra({ storage, workflows: { w3 }, logger: false });
  const workflow = mastra.getWorkflow("w3");
  return {
    async run(id, text) {
      const run = await workflow.createRun({ runId: id });
      const result = await run.start({ inputData: { text } });
      return result.result?.text;
    },
    resume: () => workflow.restartAllActiveWorkflowRuns(),
    close: () => storage.close(),
  };
});
