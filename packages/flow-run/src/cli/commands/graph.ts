import { CommandError } from "../command-error.ts";
import { environmentOf } from "../environment-of.ts";
import { EXIT } from "../exit-code.ts";
import { findFlow } from "../find-flow.ts";
import { flowGraph } from "../graph/flow-graph.ts";
import { loadBundle } from "../load-project.ts";
import type { CommonOptions } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { graphMermaid } from "../views/graph-mermaid.ts";
import { graphTree } from "../views/graph-tree.ts";

interface Options extends CommonOptions {
  env?: string;
  mermaid?: boolean;
}

/** Shows what a flow does, from its files alone: nothing is run. */
export async function graph({ terminal, options }: { terminal: Terminal; options: Options }, name: string): Promise<number> {
  if (options.mermaid && options.json) throw new CommandError("--mermaid and --json are two forms of the same: give one of them.");
  const { bundle } = await loadBundle(options, terminal);
  const found = flowGraph(bundle, findFlow(bundle, name).name, environmentOf(bundle, options.env));
  if (options.json) terminal.json(found);
  else if (options.mermaid) terminal.out(graphMermaid(found));
  else terminal.out(graphTree(found, Date.now(), terminal));
  return EXIT.fine;
}
