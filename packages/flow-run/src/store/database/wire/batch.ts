import pg from "pg";
import utils from "pg/lib/utils.js";
import type { Row, Statement } from "../database.ts";

interface WireConnection {
  stream: { cork(): void; uncork(): void };
  parse(message: { text: string }): void;
  bind(message: { values: unknown[] }): void;
  describe(message: { type: "P"; name: string }): void;
  execute(message: object): void;
  sync(): void;
}

type Submittable = new (
  config: { text: string },
  callback: (error: Error | null | undefined, results: { rows: Row[] } | { rows: Row[] }[]) => void,
) => pg.Submittable;

/**
 * Several statements as one message sequence with a single Sync at its end. PostgreSQL runs such a sequence as one implicit transaction
 * (protocol documentation, "Pipelining"): one round trip, no BEGIN and COMMIT to parse, all or nothing. The answer comes after the commit.
 */
class Batch extends (pg.Query as unknown as Submittable) {
  private readonly statements: readonly { text: string; values: unknown[] }[];

  constructor(
    statements: readonly { text: string; values: unknown[] }[],
    callback: (error: Error | null | undefined, rows: Row[][]) => void,
  ) {
    super({ text: "" }, (error, results) =>
      callback(error, error ? [] : (Array.isArray(results) ? results : [results]).map((r) => r.rows)),
    );
    this.statements = statements;
  }

  override submit = (pgConnection: unknown): null => {
    const connection = pgConnection as WireConnection;
    connection.stream.cork();
    try {
      for (const { text, values } of this.statements) {
        connection.parse({ text });
        connection.bind({ values });
        connection.describe({ type: "P", name: "" });
        connection.execute({});
      }
      connection.sync();
    } finally {
      connection.stream.uncork();
    }
    return null;
  };
}

/** Runs the statements on this client in one round trip and one transaction. Resolves after the commit. */
export function runBatch(client: pg.ClientBase, statements: readonly Statement[], timeoutMs: number | undefined): Promise<Row[][]> {
  if (statements.length === 0) return Promise.resolve([]);
  // Values are converted before the first byte is sent: one that cannot be must not leave half a batch on the wire.
  const ready = statements.map(([text, params = []]) => ({ text, values: params.map((value) => utils.prepareValue(value)) }));
  return new Promise((resolve, reject) => {
    const batch = new Batch(ready, (error, rows) => (error ? reject(error) : resolve(rows)));
    client.query(timeoutMs === undefined ? batch : Object.assign(batch, { query_timeout: timeoutMs }));
  });
}
