// Measures the durable engine against the same LLM calls without durability, against its goals and (--peers) against other engines, in one pass
// on one machine. `npm run bench -- --help`
import { type Bench, CONCURRENCIES, openBench } from "./bench.ts";
import { readOptions, SECTIONS, type Section } from "./options.ts";
import { postgresVersion } from "./postgres-version.ts";
import { machine } from "./report.ts";
import { measureAccept } from "./sections/accept.ts";
import { measureBacklog } from "./sections/backlog.ts";
import { measureCli } from "./sections/cli.ts";
import { measureInFlight } from "./sections/in-flight.ts";
import { measureLatency } from "./sections/latency.ts";
import { measurePeers } from "./sections/peers.ts";
import { measureSplit } from "./sections/split.ts";
import { measureW3 } from "./sections/w3.ts";
import { measureWide } from "./sections/wide.ts";

const MEASURE: Record<Section, (bench: Bench) => Promise<void>> = {
  w3: measureW3,
  split: measureSplit,
  latency: measureLatency,
  wide: measureWide,
  inflight: measureInFlight,
  backlog: measureBacklog,
  accept: measureAccept,
  cli: measureCli,
  peers: measurePeers,
};

const options = readOptions(process.argv.slice(2));
const bench = await openBench(options);
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    interrupted.abort();
    void bench.close().finally(() => process.exit(130));
  });
}
const { report } = bench;
try {
  for (const section of SECTIONS) {
    if (!options.sections.has(section)) continue;
    console.error(`── ${section}`);
    try {
      await MEASURE[section](bench);
    } catch (error) {
      // Whoever interrupts us ends us.
      if (interrupted.signal.aborted) await new Promise(() => {});
      // What was measured before is worth telling.
      console.error(error);
      report.add({ what: section, measured: `failed: ${(error as Error).message.split("\n")[0]}` });
      process.exitCode = 1;
    }
  }
  const about = machine(await postgresVersion(bench.postgres.url));
  const size = options.fullSize ? "" : " Smaller than the goals are meant for: no figure here says anything.";
  report.print(
    `${about.date}, Node ${about.node}, ${about.cores} × ${about.cpu}, ${about.memoryGb} GB, PostgreSQL ${about.postgres}, commit ${about.commit}. ` +
      `W3 = three LLM calls in a row over HTTP, ${options.runs} runs, best of concurrency ${CONCURRENCIES.join(", ")}.${size}`,
  );
  if (options.json) report.write(options.json, { machine: about, options: { ...options, sections: [...options.sections] } });
} finally {
  await bench.close();
}
