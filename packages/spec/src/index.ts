// The words that every other room shares: definition schemas, the wire contract, diagnostics and the error base.
// Pure: no I/O, no clock.
export * from "./definitions/agent.ts";
export * from "./definitions/editor-schemas.ts";
export * from "./definitions/eval.ts";
export * from "./definitions/notation.ts";
export * from "./definitions/project.ts";
export * from "./definitions/prompt.ts";
export * from "./definitions/simulator-script.ts";
export * from "./definitions/tool.ts";
export * from "./definitions/workflow.ts";
export * from "./diagnostic.ts";
export * from "./flow-run-error.ts";
export * from "./json.ts";
export * from "./source/asset-path.ts";
export * from "./source/definition.ts";
export * from "./source/place.ts";
export * from "./source/project-source.ts";
export * from "./source/suggest.ts";
export * from "./wire/api-key.ts";
export * from "./wire/flow.ts";
export * from "./wire/health.ts";
export * from "./wire/problem.ts";
export * from "./wire/release.ts";
export * from "./wire/run.ts";
export * from "./wire/run-event.ts";
export * from "./wire/start-run.ts";
export * from "./wire/webhook.ts";
