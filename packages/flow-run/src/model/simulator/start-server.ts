import type { SimulatorScript } from "@flow-run/spec";
import type { LoggedRequest, RequestTotals } from "./http/request-log.ts";

export interface SimulatorServerOptions {
  /** Default: any free port. */
  port?: number;
  /** Default 127.0.0.1. On a loopback address, requests of other sites' pages are refused. */
  host?: string;
  script?: SimulatorScript;
  /** Requests that `GET /_requests` remembers. Default 100,000. */
  keptRequests?: number;
  /** Larger bodies are refused with 413. Default 32 MB. */
  maxBodyBytes?: number;
}

export interface SimulatorServer {
  /** Without a slash at the end, for example `http://127.0.0.1:4010`. */
  url: string;
  port: number;
  /** The requests since the start or the last reset, oldest first. */
  requests(since?: number): LoggedRequest[];
  totals(): RequestTotals;
  /** From now on. Requests under way keep the script they came under. */
  setScript(script: SimulatorScript): void;
  /** Forgets all requests, and how often anything was asked. */
  reset(): void;
  /** Breaks all connections. */
  close(): Promise<void>;
}

/** The simulator over HTTP, speaking the vendors' wire protocols. Rejects with the system's error when the port cannot be had. */
export async function startSimulatorServer(options: SimulatorServerOptions = {}): Promise<SimulatorServer> {
  const { SimulatorHttpServer } = await import("./http/simulator-http-server.ts");
  return await SimulatorHttpServer.start(options);
}
