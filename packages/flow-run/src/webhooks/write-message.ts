import type { Run } from "@flow-run/spec";

/** Bytes of a message without its output. */
const MOST_BYTES = 20_000;
const MOST_ERROR_CHARACTERS = 2_000;

export interface MessageOptions {
  /** Also the run's output, whatever its size. */
  includeOutput: boolean;
  /** Where the API is reached, without a slash at the end; empty: the message holds the path alone. */
  publicUrl: string;
}

/** The body that announces the end of a run. Below 20 kB without the output: long error messages are cut, and tags left out that do not fit. */
export function writeMessage(run: Run, { includeOutput, publicUrl }: MessageOptions): string {
  const data = {
    id: run.id,
    flow: run.flow,
    environment: run.environment,
    release: run.release,
    status: run.status,
    error: run.error === null ? null : { ...run.error, message: cut(run.error.message) },
    usage: run.usage,
    costUsd: run.costUsd,
    url: `${publicUrl}/v1/runs/${run.id}`,
    tags: [...run.tags],
    createdAt: run.createdAt,
    finishedAt: run.finishedAt,
  };
  const write = (content: object) => JSON.stringify({ type: `run.${run.status}`, timestamp: run.finishedAt, data: content });
  let body = write(data);
  while (Buffer.byteLength(body) >= MOST_BYTES && data.tags.length > 0) {
    data.tags.pop();
    body = write(data);
  }
  return includeOutput ? write({ ...data, output: run.output }) : body;
}

function cut(text: string): string {
  return text.length <= MOST_ERROR_CHARACTERS ? text : `${text.slice(0, MOST_ERROR_CHARACTERS - 1).toWellFormed()}…`;
}
