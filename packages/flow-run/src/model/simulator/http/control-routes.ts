import type { Json, SimulatorScript } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import { parseSimulatorScript } from "../load-script.ts";
import type { LoggedRequest, RequestLog } from "./request-log.ts";

/** What the control routes act on. */
export interface Controls {
  log: RequestLog;
  script(): SimulatorScript;
  setScript(script: SimulatorScript): void;
  reset(): void;
}

export interface ControlAnswer {
  status: number;
  body: Json;
}

/** Answers the routes that begin with an underscore, and the list of models; null for any other. */
export function answerControl(controls: Controls, method: string, url: URL, body: string): ControlAnswer | null {
  switch (`${method} ${url.pathname}`) {
    case "GET /_requests": {
      const since = readCount(url, "since", 0);
      const limit = readCount(url, "limit", Number.MAX_SAFE_INTEGER);
      if (since === null || limit === null)
        return { status: 400, body: { error: { message: "since and limit are whole numbers from 0" } } };
      return { status: 200, body: { total: controls.log.total, requests: controls.log.list(since, limit).map(toWire) } };
    }
    case "GET /_totals":
      return { status: 200, body: controls.log.totals() as unknown as Json };
    case "DELETE /_requests":
      controls.reset();
      return { status: 200, body: { total: 0 } };
    case "GET /_script":
      return { status: 200, body: controls.script() as Json };
    case "PUT /_script":
      return replaceScript(controls, body);
    case "GET /v1/models":
    case "GET /v1beta/models":
      return { status: 200, body: listModels(controls.log) };
    default:
      return null;
  }
}

function replaceScript(controls: Controls, text: string): ControlAnswer {
  try {
    const script = parseSimulatorScript(text);
    controls.setScript(script);
    return { status: 200, body: { rules: script.rules?.length ?? 0 } };
  } catch (error) {
    if (!FlowRunError.isInstance(error)) throw error;
    return { status: 400, body: { error: { code: error.code, message: error.message, ...(error.details as { [name: string]: Json }) } } };
  }
}

/** Both vendors' shapes at once: their lists do not overlap. Any model answers; those that were asked are listed. */
function listModels(log: RequestLog): Json {
  const asked = Object.keys(log.totals().models).filter((model) => model !== "");
  const names = [...new Set(["simulator", ...asked])];
  return {
    object: "list",
    data: names.map((id) => ({ id, object: "model", created: 0, owned_by: "simulator", type: "model", display_name: id })),
    has_more: false,
    models: names.map((name) => ({ name: `models/${name}`, supportedGenerationMethods: ["generateContent", "streamGenerateContent"] })),
  };
}

function readCount(url: URL, name: string, otherwise: number): number | null {
  const text = url.searchParams.get(name);
  if (text === null) return otherwise;
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function toWire({ atMs, ...entry }: LoggedRequest): Json {
  return { ...entry, at: new Date(atMs).toISOString() } as unknown as Json;
}
