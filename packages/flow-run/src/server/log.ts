import { type DestinationStream, destination, type Logger, pino, stdSerializers } from "pino";

export type { Logger } from "pino";

/** Makes the log of the process: one JSON object a line, on standard error unless a destination is given. Never given bodies, keys or query strings. */
export function createLogger(options: { level?: string; destination?: DestinationStream } = {}): Logger {
  return pino(
    {
      level: options.level ?? "info",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.err },
      // A second line of defence: nothing below passes headers or secrets on purpose.
      redact: {
        paths: ["authorization", "*.authorization", "headers.authorization", "apiKey", "*.apiKey", "key", "err.config", "err.headers"],
        censor: "[redacted]",
      },
    },
    options.destination ?? destination({ dest: 2, sync: true }),
  );
}
