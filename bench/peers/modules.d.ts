// The peers are installed by the bench when it is asked to measure them, and not here: their modules have no types in this repository.
declare module "@dbos-inc/dbos-sdk";
declare module "@langchain/langgraph";
declare module "@langchain/langgraph-checkpoint-postgres";
declare module "@mastra/core";
declare module "@mastra/core/workflows";
declare module "@mastra/pg";
declare module "@restatedev/restate-sdk";
