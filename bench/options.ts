import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

export const SECTIONS = ["w3", "split", "latency", "wide", "inflight", "backlog", "accept", "cli", "peers"] as const;
export type Section = (typeof SECTIONS)[number];

export const PEERS = ["dbos", "mastra", "restate", "langgraph"] as const;
export type PeerName = (typeof PEERS)[number];

export interface Options {
  sections: ReadonlySet<Section>;
  peers: readonly PeerName[];
  /** Runs of W3 at each concurrency. */
  runs: number;
  /** Runs of one-second calls at once. */
  atOnce: number;
  /** Runs in flight in one worker process. */
  inFlight: number;
  /** Runs queued before the dispatch rate is measured. */
  backlog: number;
  /** Runs accepted by a process that executes none. */
  accepts: number;
  /** A peer begins no run after so many seconds at one concurrency. */
  peerSeconds: number;
  /** Where to write the result as JSON. */
  json: string | undefined;
  /** All sizes are those that the goals are meant for. */
  fullSize: boolean;
}

const SIZES = { runs: 5_000, "at-once": 2_000, "in-flight": 10_000, backlog: 300_000, accepts: 20_000, "peer-seconds": 60 };
type Size = keyof typeof SIZES;

const USAGE = `npm run bench -- [options]

  --only LIST          sections, separated by commas: ${SECTIONS.join(", ")}
  --peers              also measure ${PEERS.join(", ")} (installed into .flow-run/bench-peers at the first time)
  --peer NAME          only this peer; may be repeated
  --runs N             runs of W3 at each concurrency (${SIZES.runs})
  --at-once N          section wide: runs of three one-second calls (${SIZES["at-once"]})
  --in-flight N        section inflight: runs in one worker process (${SIZES["in-flight"]})
  --backlog N          section backlog: runs queued (${SIZES.backlog})
  --accepts N          section accept: runs submitted (${SIZES.accepts})
  --peer-seconds N     a peer begins no run after so many seconds at one concurrency (${SIZES["peer-seconds"]})
  --json FILE          write the result as JSON too
`;

/** Reads the command line; ends the process with a sentence when it is wrong. */
export function readOptions(args: string[]): Options {
  try {
    return parse(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

function parse(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      peers: { type: "boolean", default: false },
      peer: { type: "string", multiple: true, default: [] },
      json: { type: "string" },
      help: { type: "boolean", default: false },
      ...(Object.fromEntries(Object.keys(SIZES).map((size) => [size, { type: "string" }])) as { [size in Size]: { type: "string" } }),
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  // Told now and not after minutes.
  if (values.json !== undefined && !existsSync(dirname(values.json))) throw new Error(`--json ${values.json}: there is no such folder.`);
  const peers = values.peer.map((name) => oneOf(PEERS, name, "--peer"));
  const withPeers = values.peers || peers.length > 0;
  const sections = new Set<Section>(
    values.only === undefined
      ? SECTIONS.filter((name) => name !== "peers")
      : values.only.split(",").map((name) => oneOf(SECTIONS, name.trim(), "--only")),
  );
  if (withPeers) sections.add("peers");
  // What peers are compared with.
  if (sections.has("peers")) sections.add("w3");
  const size = (name: Size) => wholeNumber(values[name], `--${name}`) ?? SIZES[name];
  const sizes = {
    runs: size("runs"),
    atOnce: size("at-once"),
    inFlight: size("in-flight"),
    backlog: size("backlog"),
    accepts: size("accepts"),
    peerSeconds: size("peer-seconds"),
  };
  const fullSize = (Object.keys(SIZES) as Size[]).every((name) => size(name) >= SIZES[name]);
  return { sections, peers: peers.length > 0 ? peers : PEERS, ...sizes, json: values.json, fullSize };
}

function oneOf<Name extends string>(names: readonly Name[], name: string, option: string): Name {
  const found = names.find((known) => known === name);
  if (found === undefined) throw new Error(`${option} ${name}: there is ${names.join(", ")}.`);
  return found;
}

function wholeNumber(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${option} ${text}: write a whole number from 1.`);
  return number;
}
