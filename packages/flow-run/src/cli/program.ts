import { Command, Option } from "commander";
import { packageVersion } from "../package-version.ts";
import type { Terminal } from "./terminal.ts";

/** Options that every command has. */
export interface CommonOptions {
  project?: string;
  json?: boolean;
}

/** A command's module: parse, act, show; returns the exit code. */
type Action<Options, Args extends unknown[]> = (
  context: { terminal: Terminal; options: Options & CommonOptions },
  ...args: Args
) => Promise<number>;

/**
 * Declares all commands. Each one's module is imported when it is called, so that help and completion stay quick.
 */
export function buildProgram(terminal: Terminal, finish: (exitCode: number) => void): Command {
  const program = new Command("flow-run")
    .description("LLM features as infrastructure: prompts and workflows in Git, planned, deployed, and run with a guarantee.")
    .version(packageVersion(), "-v, --version")
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .exitOverride()
    .showHelpAfterError("(flow-run --help lists the commands)")
    .enablePositionalOptions();

  const subcommand = (parent: Command, name: string, description: string) =>
    parent
      .command(name)
      .description(description)
      .exitOverride()
      .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) });
  const command = (name: string, description: string) => subcommand(program, name, description);
  const local = (created: Command) =>
    created.option("--project <dir>", "the project's folder, or one inside it (default: here)").option("--json", "print JSON");
  const remote = (created: Command) => local(created).option("--env <name>", "the environment to talk to", "dev");
  const run =
    <Options, Args extends unknown[]>(load: () => Promise<Action<Options, Args>>) =>
    async (...given: unknown[]) => {
      const options = given.at(-2) as Options & CommonOptions;
      finish(await (await load())({ terminal, options }, ...(given.slice(0, -2) as Args)));
    };

  command("init", "make a project that runs at once with the simulator")
    .argument("[dir]", "folder to make it in", ".")
    .option("--json", "print JSON")
    .option("--force", "write also into a folder that has files")
    .action(run(async () => (await import("./commands/init.ts")).init));

  local(command("validate", "check the project and show all its mistakes"))
    .addOption(new Option("--format <format>", "how to print diagnostics").choices(["pretty", "json", "github", "sarif"]).default("pretty"))
    .action(run(async () => (await import("./commands/validate.ts")).validate));

  local(command("render", "show the exact messages and the provider request of a prompt, without sending anything"))
    .argument("<prompt>", "a prompt's name or a .prompt file")
    .argument("[inputs...]", "input as key=value")
    .option("--input <json>", "input as JSON, @file, or - for standard input")
    .option("--env <name>", "use the models of this environment")
    .option("--model <name=target>", "use another model, for example fast=claude/claude-haiku-4-5", collect, [])
    .action(run(async () => (await import("./commands/render.ts")).render));

  local(command("run", "run a flow here and now: no server, no database"))
    .argument("<flow>", "the flow's name")
    .argument("[inputs...]", "input as key=value")
    .option("--input <json>", "input as JSON, @file, or - for standard input")
    .option("--env <name>", "run it on this environment's server instead")
    .option("--model <name=target>", "use another model, for example fast=claude/claude-haiku-4-5", collect, [])
    .option("--steps", "show the steps with tokens and cost at the end")
    .action(run(async () => (await import("./commands/run.ts")).run));

  const serving = (created: Command) =>
    created
      .option("--port <port>", "port to listen on", "7070")
      .option("--host <host>", "address to listen on", "127.0.0.1")
      .option("--data-dir <dir>", "folder of the embedded database (default: .flow-run)");

  serving(local(command("dev", "local server on the embedded database that reloads the project on save"))).action(
    run(async () => (await import("./commands/dev.ts")).dev),
  );

  serving(local(command("server", "production server, on DATABASE_URL or the embedded database")))
    .addOption(new Option("--role <role>", "what this process does").choices(["all", "api", "worker"]).default("all"))
    .option("--concurrency <runs>", "runs under way at once in this process", "1000")
    .option("--database-wait <duration>", "how long to wait at start for a PostgreSQL that is away", "60s")
    .option("--migrate-to <url>", "move the embedded database to this PostgreSQL and exit")
    .action(run(async () => (await import("./commands/server.ts")).server));

  remote(command("deploy", "freeze the project into a release and make it current"))
    .option("--message <text>", "what this release is about")
    .option("--model <name=target>", "deploy with another model", collect, [])
    .action(run(async () => (await import("./commands/deploy.ts")).deploy));

  const releases = command("releases", "what was deployed to an environment");
  remote(subcommand(releases, "list", "newest first")).action(run(async () => (await import("./commands/releases-list.ts")).releasesList));

  const runs = command("runs", "look at runs and act on them");
  const runsCommand = (name: string, description: string) => remote(subcommand(runs, name, description));
  runsCommand("list", "newest runs first")
    .option("--flow <name>", "only this flow")
    .option("--status <status>", "only this status")
    .option("--tag <tag>", "only with this tag")
    .option("--limit <n>", "how many", "20")
    .action(run(async () => (await import("./commands/runs-list.ts")).runsList));
  runsCommand("show", "one run with its steps, tokens and cost")
    .argument("<run>", "the run's id")
    .action(run(async () => (await import("./commands/runs-show.ts")).runsShow));
  runsCommand("watch", "follow a run until it ends")
    .argument("<run>", "the run's id")
    .action(run(async () => (await import("./commands/runs-watch.ts")).runsWatch));
  runsCommand("cancel", "end a run that has not ended")
    .argument("<run>", "the run's id")
    .action(run(async () => (await import("./commands/runs-cancel.ts")).runsCancel));
  runsCommand("replay", "start a run again with the same input, on the current release")
    .argument("<run>", "the run's id")
    .action(run(async () => (await import("./commands/runs-replay.ts")).runsReplay));

  const keys = command("keys", "API keys of an environment (needs an admin key)");
  const keysCommand = (name: string, description: string) => remote(subcommand(keys, name, description));
  keysCommand("create", "make a key; it is shown once")
    .argument("<name>", "who will use it")
    .option("--scope <scope>", "run, read, deploy or admin; may be repeated", collect, [])
    .action(run(async () => (await import("./commands/keys.ts")).keysCreate));
  keysCommand("list", "keys without their secrets").action(run(async () => (await import("./commands/keys.ts")).keysList));
  keysCommand("revoke", "make a key useless at once")
    .argument("<id>", "the key's id")
    .action(run(async () => (await import("./commands/keys.ts")).keysRevoke));

  local(command("doctor", "check Node, project, secrets, providers, database and clock"))
    .option("--env <name>", "also check this environment's server")
    .option("--data-dir <dir>", "folder of the embedded database (default: .flow-run)")
    .option("--offline", "do not contact providers")
    .action(run(async () => (await import("./commands/doctor.ts")).doctor));

  local(command("schema", "write the JSON Schemas that editors complete and check with"))
    .option("--out <dir>", "folder to write them to (default: .flow-run/schemas)")
    .action(run(async () => (await import("./commands/schema.ts")).schema));

  local(command("simulator", "a deterministic LLM on a port: OpenAI, Anthropic and Google wire protocols"))
    .option("--port <port>", "port to listen on", "7071")
    .option("--host <host>", "address to listen on", "127.0.0.1")
    .option("--script <file>", "answers and faults, as docs/reference/simulator.md says")
    .option("--seed <n>", "another seed gives other answers")
    .option("--latency <duration>", "how long an answer takes, for example 50ms")
    .action(run(async () => (await import("./commands/simulator.ts")).simulator));

  return program;
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
