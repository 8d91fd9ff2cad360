// LangGraph: a graph of three nodes with its PostgreSQL checkpointer. `durability: "sync"` is what makes it comparable: each checkpoint is
// written before the next node begins (the default writes it meanwhile).
// Settings: a pool of 20 connections (of 10, 20 and 40 none is faster on two cores).
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import pg from "pg";
import { contest } from "./contestant.ts";

await contest(async (order, call) => {
  const pool = new pg.Pool({ connectionString: order.databaseUrl, max: 20 });
  const checkpointer = new PostgresSaver(pool);
  await checkpointer.setup();
  const node = async ({ text }: { text: string }) => ({ text: await call(text) });
  const graph = new StateGraph(Annotation.Root({ text: Annotation() }))
    .addNode("one", node)
    .addNode("two", node)
    .addNode("three", node)
    .addEdge(START, "one")
    .addEdge("one", "two")
    .addEdge("two", "three")
    .addEdge("three", END)
    .compile({ checkpointer });
  const thread = (id: string) => ({ configurable: { thread_id: id }, durability: "sync" });
  return {
    run: async (id, text) => (await graph.invoke({ text }, thread(id))).text,
    resume: (ids) => Promise.all(ids.map((id) => graph.invoke(null, thread(id)))),
    close: () => pool.end(),
  };
});
