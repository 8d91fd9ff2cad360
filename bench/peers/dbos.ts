// DBOS: a workflow of three steps, started in the process that executes it, which its authors measure as the faster way (the other is a queue).
// Settings: a pool as large as the machine can use, no tracing, no log.
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
