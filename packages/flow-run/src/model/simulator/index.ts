// A deterministic offline model: no key, no network. In process it is a provider; over HTTP it speaks the wire protocols of OpenAI,
// Anthropic and Google, so that tests and benchmarks go through the real providers' code. Light to import: what is heavy loads when used.
export { loadSimulatorScript, parseSimulatorScript, type SimulatorScriptProblem } from "./load-script.ts";
export type { SimulatedAnswer } from "./simulated-answer.ts";
export type { SimulatorRequest } from "./simulated-request.ts";
export { createSimulator, type Simulator } from "./simulator.ts";
export { createSimulatorProvider } from "./simulator-provider.ts";
export { type SimulatorServer, type SimulatorServerOptions, startSimulatorServer } from "./start-server.ts";
export { createValueWriter } from "./value/index.ts";
