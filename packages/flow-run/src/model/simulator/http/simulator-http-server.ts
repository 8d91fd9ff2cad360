import { hash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json, JsonObject, SimulatorScript } from "@flow-run/spec";
import { lastUserText } from "../simulated-request.ts";
import { createSimulator, type Simulator } from "../simulator.ts";
import type { SimulatorServer, SimulatorServerOptions } from "../start-server.ts";
import { answerControl } from "./control-routes.ts";
import { isLocalRequest, isLoopback } from "./local-origin.ts";
import { WireError, type WireRequest } from "./protocol.ts";
import { readBody } from "./read-body.ts";
import { isObject } from "./read-fields.ts";
import { type LoggedRequest, RequestLog, type RequestTotals } from "./request-log.ts";
import { findModelRoute, type ModelRoute, ROUTES } from "./routes.ts";
import { sendAnswer } from "./send-answer.ts";

const DEFAULT_KEPT_REQUESTS = 100_000;
const DEFAULT_MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Longer than clients keep idle sockets, so that it is they who close them. */
const KEEP_ALIVE_MS = 120_000;

/** Plain node:http: it is also the other side of benchmarks, so it does little for each request. */
export class SimulatorHttpServer implements SimulatorServer {
  readonly url: string;
  readonly port: number;
  private readonly server: Server;
  private readonly log: RequestLog;
  private readonly maxBodyBytes: number;
  private readonly onlyLocal: boolean;
  private simulator: Simulator;

  static async start(options: SimulatorServerOptions): Promise<SimulatorHttpServer> {
    const host = options.host ?? "127.0.0.1";
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port ?? 0, host, resolve);
    });
    return new SimulatorHttpServer(server, host, options);
  }

  private constructor(server: Server, host: string, options: SimulatorServerOptions) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
    this.log = new RequestLog(Math.max(1, options.keptRequests ?? DEFAULT_KEPT_REQUESTS));
    this.maxBodyBytes = options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
    this.onlyLocal = isLoopback(host);
    this.simulator = createSimulator(options.script);
    server.on("request", (request, response) => this.receive(request, response));
  }

  requests(since = 0): LoggedRequest[] {
    return this.log.list(since);
  }

  totals(): RequestTotals {
    return this.log.totals();
  }

  setScript(script: SimulatorScript): void {
    this.simulator = createSimulator(script);
  }

  script(): SimulatorScript {
    return this.simulator.script;
  }

  reset(): void {
    this.log.clear();
    this.simulator.reset();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const { headers } = request;
    const target = request.url ?? "/";
    const query = target.indexOf("?");
    const path = query === -1 ? target : target.slice(0, query);
    if (this.onlyLocal && !isLocalRequest(headers.host, headers.origin)) {
      const message = "This simulator answers only requests of its own machine. Start it with --host to change that.";
      sendJson(response, 403, { error: { message } });
      return;
    }
    const route = request.method === "POST" ? findModelRoute(path) : null;
    readBody(request, this.maxBodyBytes, (body, tooLarge) => {
      if (tooLarge) {
        response.shouldKeepAlive = false;
        const message = `The request is larger than ${this.maxBodyBytes} bytes.`;
        return sendJson(response, 413, route ? route.protocol.error(413, message, randomUUID(), null) : { error: { message } });
      }
      if (body === null) return;
      const work = route ? this.answer(route, request, response, body) : this.control(request.method ?? "GET", target, response, body);
      work.catch((error: unknown) => {
        // A bug of the simulator's own: it must not look like a fault that was asked for.
        if (response.headersSent) response.destroy();
        else
          sendJson(response, 500, {
            error: { message: `The simulator failed: ${error instanceof Error ? error.message : String(error)}`, type: "simulator_bug" },
          });
      });
    });
  }

  private async answer(route: ModelRoute, request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    const { protocol } = route;
    const { simulator } = this;
    const requestId = `req_${randomUUID().replaceAll("-", "")}`;
    const attempt = request.headers["x-flow-run-attempt"];
    const logged = {
      atMs: Date.now(),
      protocol: protocol.name,
      attempt: typeof attempt === "string" ? attempt : null,
      bodySha256: hash("sha256", body, "hex"),
    };
    let wire: WireRequest;
    try {
      wire = protocol.parse(parseBody(body), route.model);
      if (route.stream !== undefined) wire.stream = route.stream;
    } catch (error) {
      const message = error instanceof RangeError ? "The body is nested too deeply." : (error as Error).message;
      if (!(error instanceof WireError || error instanceof RangeError)) throw error;
      this.log.add({ ...logged, model: route.model, lastUserText: "" }).status = 400;
      return sendJson(response, 400, protocol.error(400, message, requestId, null), { [protocol.requestIdHeader]: requestId });
    }
    const entry = this.log.add({ ...logged, model: wire.request.model, lastUserText: lastUserText(wire.request.messages) });
    const gone = new AbortController();
    response.on("close", () => {
      if (response.writableFinished) return;
      entry.answeredInFull = false;
      gone.abort();
    });
    await sendAnswer({ protocol, wire, response, gone: gone.signal, entry, requestId }, await simulator.answer(wire.request));
  }

  private async control(method: string, target: string, response: ServerResponse, body: Buffer): Promise<void> {
    const url = URL.parse(target.startsWith("/") ? this.url + target : target) ?? new URL(this.url);
    const answer = answerControl(
      { log: this.log, script: () => this.script(), setScript: (script) => this.setScript(script), reset: () => this.reset() },
      method,
      url,
      body.toString("utf8"),
    );
    if (answer) return sendJson(response, answer.status, answer.body);
    const message = `The simulator has no ${method} ${url.pathname}. It has: ${ROUTES.join(", ")}.`;
    sendJson(response, 404, { error: { message, type: "invalid_request_error", param: null, code: "unknown_url" }, routes: [...ROUTES] });
  }
}

function parseBody(body: Buffer): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new WireError("We could not parse the JSON body of your request.");
  }
  if (!isObject(value)) throw new WireError("The body of your request must be a JSON object.");
  return value;
}

function sendJson(response: ServerResponse, status: number, value: Json, headers: { [name: string]: string } = {}): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers });
  response.end(body);
}
