import type { Scope } from "@flow-run/spec";
import { scopeSchema } from "@flow-run/spec";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import type { CommonOptions } from "../program.ts";
import { connect } from "../remote.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { table } from "../views/table.ts";

interface Context {
  terminal: Terminal;
  options: CommonOptions & { env: string };
}

/** What an application needs: to start runs and to read them. */
const DEFAULT_SCOPES: readonly Scope[] = ["run", "read"];

/** Makes a key and prints it, alone, on standard output. */
export async function keysCreate({ terminal, options }: Context & { options: { scope?: string[] } }, name: string): Promise<number> {
  const given: readonly string[] = options.scope ?? DEFAULT_SCOPES;
  const wrong = given.find((scope) => !scopeSchema.safeParse(scope).success);
  if (wrong) throw new CommandError(`--scope ${wrong}: it is one of ${scopeSchema.options.join(", ")}.`);
  const scopes = [...given] as Scope[];
  const client = await connect(options.env, options.project);
  const key = await client.createKey({ name, scopes });
  if (options.json) terminal.json(key);
  else {
    terminal.out(`${key.key}\n`);
    terminal.err(
      `Key ${key.id} for ${options.env} (${scopes.join(", ")}). It is shown only now: keep it in FLOW_RUN_API_KEY of the one who uses it.\n`,
    );
  }
  return EXIT.fine;
}

export async function keysList({ terminal, options }: Context): Promise<number> {
  const client = await connect(options.env, options.project);
  const keys = await client.keys();
  if (options.json) terminal.json({ keys });
  else if (keys.length === 0) terminal.out(`${options.env} has no keys. Make one: flow-run keys create NAME --env ${options.env}\n`);
  else {
    const head = ["key", "name", "scopes", "created", ""].map((title) => terminal.style("dim", title));
    const rows = keys.map((key) => [key.id, printable(key.name), key.scopes.join(","), key.createdAt, key.revokedAt ? "revoked" : ""]);
    terminal.out(`${table([head, ...rows])}\n`);
  }
  return EXIT.fine;
}

export async function keysRevoke({ terminal, options }: Context, id: string): Promise<number> {
  const client = await connect(options.env, options.project);
  await client.revokeKey(id);
  if (options.json) terminal.json({ id, revoked: true });
  else terminal.out(`${id} is revoked.\n`);
  return EXIT.fine;
}
