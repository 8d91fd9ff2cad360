import type { ChildProcess } from "node:child_process";
import { answers, flowRun, freePort } from "./processes.ts";

/** The LLM of the bench: `flow-run simulator` in a process of its own, which answers at once unless told otherwise. */
export class Simulator {
  readonly url: string;
  readonly process: ChildProcess;

  static async start(): Promise<Simulator> {
    const port = await freePort();
    const child = flowRun(["simulator", "--port", String(port)]);
    const simulator = new Simulator(`http://127.0.0.1:${port}`, child);
    await answers(`${simulator.url}/_totals`, child);
    return simulator;
  }

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.process = child;
  }

  /** Requests so far, also those that are not answered yet. */
  async requests(): Promise<number> {
    return ((await (await fetch(`${this.url}/_totals`)).json()) as { requests: number }).requests;
  }

  async forget(): Promise<void> {
    await fetch(`${this.url}/_requests`, { method: "DELETE" });
  }

  /** How long answers take from now on: `0ms`, `1s`. */
  async setLatency(latency: string): Promise<void> {
    const response = await fetch(`${this.url}/_script`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ latency }),
    });
    if (!response.ok) throw new Error(`the simulator did not take the latency: ${await response.text()}`);
  }
}
