import { CommandError } from "./command-error.ts";

/** 0 lets the system choose. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new CommandError(`--port ${text}: write a number from 0 to 65535.`);
  return port;
}
