// DBOS: a workflow of three steps, started in the process that executes it. Through its queue, polled every 20 ms, runs were neither faster nor cheaper.
// Settings: a pool of 20 connections (of 10, 20 and 40 the fastest on two cores), no tracing, no log.
import { DBOS } from "@dbos-inc/dbos-sdk";
import { contest } from "./contestant.ts";

await contest(async (order, call) => {
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: order.databaseUrl,
    systemDatabasePoolSize: 20,
    applicationVersion: "1",
    executorID: "bench",
    enableOTLP: false,
    tracingEnabled: false,
    logLevel: "error",
  });
  const w3 = DBOS.registerWorkflow(
    async (text: string) => {
      const one = await DBOS.runStep(() => call(text), { name: "one" });
      const two = await DBOS.runStep(() => call(one), { name: "two" });
      return DBOS.runStep(() => call(two), { name: "three" });
    },
    { name: "w3" },
  );
  // Continues what a former process of this name left unfinished.
  await DBOS.launch();
  return {
    run: async (id, text) => (await DBOS.startWorkflow(w3, { workflowID: id })(text)).getResult(),
    resume: (ids) => Promise.all(ids.map((id) => DBOS.retrieveWorkflow(id).getResult())),
    close: () => DBOS.shutdown(),
  };
});
