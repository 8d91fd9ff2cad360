import { type Argument, Command, Option } from "commander";
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

/** The command line, ready to parse; `usageOf` tells the usage of the command that the last mistake was made with. */
export interface Program {
  program: Command;
  usageOf(): string;
}

/** Declares all commands. Each one's module is imported when it is called, so that help stays quick. */
export function buildProgram(terminal: Terminal, finish: (exitCode: number) => void): Program {
  const program = new Command("flow-run");
  let mistaken = program;
  // Mistakes are told by main, in one place for people and for machines.
  const prepare = (command: Command): Command =>
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.out(text),
      // Help that nobody asked for: a command without the one below it.
      writeErr: (text) => terminal.err(text),
      outputError: () => {
        mistaken = command;
      },
      getOutHelpWidth: () => Math.min(terminal.columns, 120),
    });

  prepare(program)
    .description("LLM features as infrastructure: prompts and workflows in Git, releases, guaranteed runs.")
    .usage("COMMAND [options]")
    .version(packageVersion(), "-v, --version", "print the version")
    .helpOption("-h, --help", "show this help, or that of a command")
    .helpCommand(false)
    .enablePositionalOptions()
    .configureHelp({
      subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map((argument) => nameOf(argument))].join(" "),
    })
    .addHelpText(
      "after",
      `
Begin with:
  flow-run init my-flows && cd my-flows
  flow-run run welcome name=Ada

Exit codes: 0 fine; 1 what was asked about failed (a run, a check); 2 the command or
the project is wrong; 75 another process uses the embedded database.`,
    );

  const subcommand = (parent: Command, name: string, description: string, examples: string[]): Command => {
    const command = prepare(parent.command(name)).description(description).helpOption("-h, --help", "show this help");
    if (examples.length > 0) {
      const lines = examples.map((example) => `  flow-run ${example}`).join("\n");
      command.addHelpText("after", `\n${examples.length === 1 ? "Example" : "Examples"}:\n${lines}`);
    }
    return command;
  };
  const command = (name: string, description: string, ...examples: string[]) => subcommand(program, name, description, examples);
  /** Commands that only have commands below them. */
  const group = (name: string, description: string, ...examples: string[]) => {
    const created = command(name, description, ...examples)
      .usage("COMMAND [options]")
      .helpCommand(false);
    return (below: string, what: string, ...belowExamples: string[]) => subcommand(created, below, what, belowExamples);
  };
  const json = (created: Command) => created.option("--json", "print one JSON document on standard output");
  const local = (created: Command) =>
    json(created.option("--project <dir>", "a folder of the project (default: the project around the current folder)"));
  const remote = (created: Command) =>
    local(created.option("--env <name>", "the environment; its server is environments.NAME.url in flow-run.yaml, or FLOW_RUN_URL", "dev"));
  const input = (created: Command) =>
    created
      .argument("[inputs...]", "input as key=value; a value is JSON where the flow wants no text")
      .option("--input <json>", "input as JSON, as @FILE, or - for standard input");
  const model = (created: Command) =>
    created.option(
      "--model <name=target>",
      "with another LLM behind a model's name: fast=claude/claude-haiku-4-5; may be repeated",
      collect,
    );
  const run =
    <Options, Args extends unknown[]>(load: () => Promise<Action<Options, Args>>) =>
    async (...given: unknown[]) => {
      const options = given.at(-2) as Options & CommonOptions;
      finish(await (await load())({ terminal, options }, ...(given.slice(0, -2) as Args)));
    };

  program.commandsGroup("Write and try:");
  json(
    command("init", "make a project that runs at once, with a simulated LLM", "init my-flows", "init . --ci github")
      .argument("[dir]", "folder to make it in", ".")
      .addOption(new Option("--ci <service>", "add a pipeline: check every change, deploy the main branch").choices(["github", "gitlab"]))
      .option("--force", "write also into a folder that has files; none of them is overwritten"),
  ).action(run(async () => (await import("./commands/init.ts")).init));

  local(
    command(
      "validate",
      "check the project and show all its mistakes at once",
      "validate",
      "validate --format sarif > flow-run.sarif",
    ).addOption(new Option("--format <format>", "how to show them").choices(["pretty", "json", "github", "sarif"]).default("pretty")),
  ).action(run(async () => (await import("./commands/validate.ts")).validate));

  const render = command(
    "render",
    "show the exact messages and the provider's request, without sending it",
    "render triage ticket='It does not work'",
    "render drafts/new.prompt --input @example.json",
  ).argument("<prompt>", "a prompt's name, or a .prompt file anywhere");
  local(model(input(render).option("--env <name>", "with the models of this environment"))).action(
    run(async () => (await import("./commands/render.ts")).render),
  );

  local(
    command("graph", "show a flow as a tree, or as a Mermaid flowchart", "graph reply", "graph reply --mermaid > reply.mmd")
      .argument("<flow>", "the flow's name")
      .option("--mermaid", "as a flowchart for Mermaid, which Markdown on GitHub and GitLab shows")
      .option("--env <name>", "with the models of this environment"),
  ).action(run(async () => (await import("./commands/graph.ts")).graph));

  const runFlow = command(
    "run",
    "run a flow here and now: no server, no database",
    "run triage ticket='It does not work'",
    "run reply --input @ticket.json --steps",
    "run triage --input - --model fast=claude/claude-haiku-4-5 --json < ticket.json",
  ).argument("<flow>", "the flow's name");
  local(
    model(
      input(runFlow)
        .option("--env <name>", "on this environment's server instead")
        .option("--steps", "show the steps with tokens and cost at the end"),
    ),
  ).action(run(async () => (await import("./commands/run.ts")).run));

  const serving = (created: Command) =>
    created
      .option("--port <port>", "port to listen on; 0 takes a free one", "7070")
      .option("--host <host>", "address to listen on", "127.0.0.1")
      .option("--data-dir <dir>", "folder of the embedded database (default: .flow-run in the project)");
  local(
    serving(command("dev", "local server that deploys the project again on every save", "dev", "dev --port 8080")).option(
      "--schedules",
      "also start runs by the schedules of their workflows, as a server does",
    ),
  ).action(run(async () => (await import("./commands/dev.ts")).dev));

  program.commandsGroup("Deploy and operate:");
  remote(
    model(
      command("deploy", "freeze the project into a release and make it current", "deploy --env prod --message 'Friendlier replies'").option(
        "--message <text>",
        "what this release is about",
      ),
    ),
  ).action(run(async () => (await import("./commands/deploy.ts")).deploy));

  const releases = group("releases", "what was deployed to an environment", "releases list --env prod");
  remote(releases("list", "all releases, newest first", "releases list --env prod")).action(
    run(async () => (await import("./commands/releases-list.ts")).releasesList),
  );

  const runs = group("runs", "look at runs and act on them", "runs list --env prod --status failed", "runs show run_… --env prod");
  remote(
    runs("list", "newest runs first", "runs list --flow triage --status failed", "runs list --tag import --limit 100 --json")
      .option("--flow <name>", "only runs of this flow")
      .option("--status <status>", "queued, running, waiting, succeeded, failed or cancelled; may be repeated", collect)
      .option("--tag <tag>", "only runs with this tag; may be repeated: with all of them", collect)
      .option("--release <number>", "only runs on this release")
      .option("--replay-of <run>", "only replays of this run")
      .option("--from <time>", "only runs created then or later: 2026-11-22, 2026-11-22T08:00:00Z")
      .option("--to <time>", "only runs created before")
      .option("--limit <n>", "how many, up to 200", "20")
      .option("--cursor <cursor>", "go on where the page before ended: its nextCursor"),
  ).action(run(async () => (await import("./commands/runs-list.ts")).runsList));
  const ofRun = (created: Command) => remote(created.argument("<run>", "the run's id"));
  ofRun(runs("show", "one run with the timeline of its steps, tokens and cost", "runs show run_… --env prod")).action(
    run(async () => (await import("./commands/runs-show.ts")).runsShow),
  );
  ofRun(runs("watch", "follow a run until it ends; exit 1 when it does not succeed", "runs watch run_… --env prod")).action(
    run(async () => (await import("./commands/runs-watch.ts")).runsWatch),
  );
  ofRun(runs("cancel", "end a run that has not ended", "runs cancel run_… --env prod")).action(
    run(async () => (await import("./commands/runs-cancel.ts")).runsCancel),
  );
  ofRun(
    runs("signal", "send a signal to a run that waits for it", `runs signal run_… approval --payload '{"ok": true}'`).option(
      "--payload <json>",
      "what it brings; without: null",
    ),
  )
    .argument("<name>", "the signal's name")
    .action(run(async () => (await import("./commands/runs-signal.ts")).runsSignal));
  ofRun(
    runs(
      "replay",
      "start a run again, as a whole or from a step",
      "runs replay run_… --env prod",
      "runs replay run_… --from draft",
      "runs replay run_… --from 'facts[2]' --input '{\"question\": \"Where is it?\"}'",
    )
      .option("--from <step>", "take over what came before this step; it and all that follows executes anew")
      .option("--input <json>", "another input, of the run or of that step: JSON, @FILE, or - for standard input")
      .option("--release <release>", "current, same or a number (default: current; with --from same)")
      .option("--tag <tag>", "in place of the run's tags; may be repeated", collect)
      .option("--priority <n>", "in place of the run's priority")
      .option("--webhook <url>", "in place of the run's webhook")
      .option("--no-webhook", "tell nobody when it ends"),
  ).action(run(async () => (await import("./commands/runs-replay.ts")).runsReplay));
  ofRun(
    runs(
      "feedback",
      "say what a run is worth, or list what was said",
      "runs feedback run_… correct=true --comment 'Found the right order'",
      "runs feedback run_… score=0.8 --step draft",
      "runs feedback run_…",
    )
      .option("--comment <text>", "why")
      .option("--step <path>", "of one step in place of the whole run")
      .option("--author <name>", "who says so"),
  )
    .argument("[name=value]", "what is judged, and the judgement: a number, true, false or text; without: list")
    .action(run(async () => (await import("./commands/runs-feedback.ts")).runsFeedback));

  local(
    serving(
      command(
        "server",
        "production server on DATABASE_URL or the embedded database",
        "server",
        "server --role worker --concurrency 2000",
        "server --migrate-to postgres://flow_run@db.example.com/flow_run",
      ),
    )
      .addOption(new Option("--role <role>", "what this process does").choices(["all", "api", "worker"]).default("all"))
      .option("--concurrency <runs>", "runs at work at once in this process", "1000")
      .option("--database-wait <duration>", "how long to wait at start for a PostgreSQL that is away", "60s")
      .option("--migrate-to <url>", "move the embedded database to this PostgreSQL, and exit"),
  ).action(run(async () => (await import("./commands/server.ts")).server));

  const webhooks = group("webhooks", "announcements of ended runs", "webhooks list --env prod --status exhausted");
  remote(
    webhooks("list", "newest deliveries first", "webhooks list --status exhausted --env prod")
      .option("--status <status>", "pending, delivered, exhausted or disabled")
      .option("--run <run>", "only that of this run")
      .option("--limit <n>", "how many, up to 200", "20")
      .option("--cursor <cursor>", "go on where the page before ended: its nextCursor"),
  ).action(run(async () => (await import("./commands/webhooks.ts")).webhooksList));
  remote(
    webhooks("show", "one delivery with its attempts", "webhooks show msg_run_… --env prod").argument("<delivery>", "the delivery's id"),
  ).action(run(async () => (await import("./commands/webhooks.ts")).webhooksShow));
  remote(
    webhooks("replay", "deliver again, also to an endpoint that was disabled", "webhooks replay msg_run_… --env prod").argument(
      "<delivery>",
      "the delivery's id",
    ),
  ).action(run(async () => (await import("./commands/webhooks.ts")).webhooksReplay));

  const costs = remote(
    command(
      "costs",
      "what runs have cost",
      "costs --env prod",
      "costs --group-by day,model --from 2026-11-01 --to 2026-11-30",
      "costs explain run_… --env prod",
    )
      .option("--group-by <groups>", "flow, model, provider, release, day; several with commas", "flow,model")
      .option("--from <day>", "first day, UTC (default: 29 days before the last)")
      .option("--to <day>", "last day, itself included (default: today)"),
  ).action(run(async () => (await import("./commands/costs.ts")).costs));
  remote(
    subcommand(costs, "explain", "how the cost of a run comes about, line by line", ["costs explain run_… --env prod"]).argument(
      "<run>",
      "the run's id",
    ),
  ).action(run(async () => (await import("./commands/costs-explain.ts")).costsExplain));

  const keys = group("keys", "API keys of an environment (needs an admin key)", "keys create billing-service --env prod");
  remote(
    keys("create", "make a key; it is shown once", "keys create billing-service --scope run --scope read --env prod")
      .argument("<name>", "who will use it")
      .option("--scope <scope>", "run, read, deploy or admin; may be repeated (default: run and read)", collect),
  ).action(run(async () => (await import("./commands/keys.ts")).keysCreate));
  remote(keys("list", "all keys, without their secrets", "keys list --env prod")).action(
    run(async () => (await import("./commands/keys.ts")).keysList),
  );
  remote(keys("revoke", "make a key useless at once", "keys revoke key_… --env prod").argument("<id>", "the key's id")).action(
    run(async () => (await import("./commands/keys.ts")).keysRevoke),
  );

  program.commandsGroup("Check and set up:");
  local(
    command("doctor", "check Node, project, secrets, providers, database and clock", "doctor", "doctor --env prod")
      .option("--env <name>", "also check this environment's server")
      .option("--data-dir <dir>", "folder of the embedded database (default: .flow-run in the project)")
      .option("--offline", "do not contact providers"),
  ).action(run(async () => (await import("./commands/doctor.ts")).doctor));

  local(
    command("schema", "write the JSON Schemas that editors complete and check with", "schema", "schema --out editor/schemas").option(
      "--out <dir>",
      "folder to write them to (default: .flow-run/schemas in the project)",
    ),
  ).action(run(async () => (await import("./commands/schema.ts")).schema));

  json(
    command(
      "simulator",
      "a deterministic LLM on a port, for OpenAI's, Anthropic's and Google's clients",
      "simulator",
      "simulator --port 9000 --script answers.yaml --latency 200ms",
    )
      .option("--port <port>", "port to listen on; 0 takes a free one", "7071")
      .option("--host <host>", "address to listen on", "127.0.0.1")
      .option("--script <file>", "answers and faults, as docs/reference/simulator.md says")
      .option("--seed <n>", "another number gives other answers")
      .option("--latency <duration>", "how long an answer takes, for example 50ms"),
  ).action(run(async () => (await import("./commands/simulator.ts")).simulator));

  return { program, usageOf: () => usage(mistaken) };
}

function nameOf(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${name}>` : `[${name}]`;
}

function usage(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return `${names.join(" ")} ${command.usage()}`.trim();
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
