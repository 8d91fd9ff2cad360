import { showSchema } from "../../compile/index.ts";
import type { FlowGraph, FlowNode, StepNode } from "../graph/flow-graph.ts";
import { actionWords, careWords, forEachWords, limitWords, modelWords, repeatWords } from "../graph/step-words.ts";

/** Where a run comes out of a part of the flowchart; the label is that of the edge. */
interface Exit {
  from: string;
  label?: string;
}

/** A part of the flowchart that has been written: where a run comes in and out. */
interface Part {
  entries: string[];
  exits: Exit[];
}

/** A flow as a Mermaid flowchart. Workflows that it calls are subgraphs; what a step says is on its node, what turns it takes on an edge back to it. */
export function graphMermaid(graph: FlowGraph): string {
  const chart = new Flowchart(graph);
  return `${["flowchart TD", ...chart.draw()].join("\n")}\n`;
}

class Flowchart {
  private readonly graph: FlowGraph;
  private readonly lines: string[] = [];
  private nodes = 0;
  private depth = 1;
  /** Called workflows, drawn after the flow itself: the id of each one's subgraph. */
  private readonly subgraphs = new Map<string, string>();

  constructor(graph: FlowGraph) {
    this.graph = graph;
  }

  draw(): string[] {
    const { flow, flows } = this.graph;
    this.drawFlow(flows[flow]!);
    // More are found while these are drawn.
    for (const [name, id] of this.subgraphs) {
      this.line(`subgraph ${id}["${label([name])}"]`);
      this.depth++;
      this.drawFlow(flows[name]!);
      this.depth--;
      this.line("end");
    }
    return this.lines;
  }

  private drawFlow(flow: FlowNode): void {
    const { schedule, limits } = flow;
    const start = this.node(
      ["([", "])"],
      [
        flow.name,
        `input ${showSchema(flow.input)}`,
        ...(schedule === undefined ? [] : [`schedule ${schedule.cron} (${schedule.timezone})`]),
        ...(limits === undefined ? [] : [`limits ${limitWords(limits)}`]),
      ],
    );
    let exits: Exit[] = [{ from: start }];
    if (flow.model !== undefined) {
      const model = this.node(["(", ")"], [modelWords(flow.model)]);
      this.join(exits, [model]);
      exits = [{ from: model }];
    }
    for (const step of flow.steps ?? []) exits = this.follow(exits, this.drawStep(step));
    this.join(exits, [this.node(["([", "])"], [`output ${showSchema(flow.output)}`])]);
  }

  private follow(before: Exit[], part: Part): Exit[] {
    this.join(before, part.entries);
    return part.exits;
  }

  /** Each exit leads to each entry; many of both meet in a point between. */
  private join(exits: readonly Exit[], entries: readonly string[]): void {
    if (exits.length > 1 && entries.length > 1) {
      const meeting = this.node(["((", "))"], [" "]);
      this.join(exits, [meeting]);
      this.join([{ from: meeting }], entries);
      return;
    }
    for (const { from, label: text } of exits) for (const entry of entries) this.edge(from, "-->", entry, text);
  }

  private drawStep(step: StepNode): Part {
    const part = step.steps === undefined ? this.drawAction(step) : this.drawBranches(step.steps);
    if (step.if === undefined) return part;
    const question = this.node(["{", "}"], [step.if]);
    for (const entry of part.entries) this.edge(question, "-->", entry, "yes");
    return { entries: [question], exits: [...part.exits, { from: question, label: "no" }] };
  }

  private drawBranches(steps: readonly StepNode[]): Part {
    const parts = steps.map((step) => this.drawStep(step));
    return { entries: parts.flatMap(({ entries }) => entries), exits: parts.flatMap(({ exits }) => exits) };
  }

  private drawAction(step: StepNode): Part {
    const { flows } = this.graph;
    const called = step.flow === undefined ? undefined : flows[step.flow];
    const care = careWords(step);
    const texts = [
      step.id ?? "",
      actionWords(step, flows),
      ...(called?.model === undefined ? [] : [modelWords(called.model)]),
      ...(care.length === 0 ? [] : [care.join(" · ")]),
    ];
    const node = this.node(shapeOf(step, called), texts);
    if (step.forEach !== undefined) this.edge(node, "-.->", node, forEachWords(step.forEach));
    if (step.repeat !== undefined) this.edge(node, "-.->", node, repeatWords(step.repeat));
    if (called?.steps !== undefined) this.edge(node, "-.-", this.subgraphOf(called.name), "steps");
    const exits: Exit[] = [{ from: node }];
    if (typeof step.onError === "object") exits.push({ from: this.drawRescue(node, step.onError.run) });
    return { entries: [node], exits };
  }

  private drawRescue(node: string, flow: string): string {
    const called = this.graph.flows[flow];
    const rescue = this.node(shapeOf({ kind: "run" }, called), [`${called?.kind ?? "flow"} ${flow}`]);
    this.edge(node, "-.->", rescue, "on error");
    if (called?.steps !== undefined) this.edge(rescue, "-.-", this.subgraphOf(flow), "steps");
    return rescue;
  }

  private subgraphOf(flow: string): string {
    const id = this.subgraphs.get(flow) ?? `flow${this.subgraphs.size + 1}`;
    this.subgraphs.set(flow, id);
    return id;
  }

  private node([open, close]: readonly [string, string], texts: readonly string[]): string {
    const id = `n${++this.nodes}`;
    this.line(`${id}${open}"${label(texts)}"${close}`);
    return id;
  }

  private edge(from: string, arrow: string, to: string, text?: string): void {
    this.line(`${from} ${arrow}${text === undefined ? "" : `|"${label([text])}"|`} ${to}`);
  }

  private line(text: string): void {
    this.lines.push("  ".repeat(this.depth) + text);
  }
}

function shapeOf({ kind }: Pick<StepNode, "kind">, called: FlowNode | undefined): readonly [string, string] {
  if (called?.kind === "workflow") return ["[[", "]]"];
  if (kind === "run") return ["(", ")"];
  if (kind === "http") return ["[/", "/]"];
  return kind === "wait" ? ["{{", "}}"] : ["[", "]"];
}

/** Longer texts make a chart that nobody can read. */
const LONGEST_TEXT = 120;

/**
 * Lines as a quoted label. Everything but letters, digits and a few signs is written as an entity code, so that no text can end its label, be read as Markdown
 * or HTML, or give commands to whatever shows the chart.
 */
function label(texts: readonly string[]): string {
  return texts.map((text) => escaped(shortened(text))).join("<br>");
}

function shortened(text: string): string {
  const characters = [...text.replaceAll(/\s+/g, " ")];
  return characters.length <= LONGEST_TEXT ? characters.join("") : `${characters.slice(0, LONGEST_TEXT - 1).join("")}…`;
}

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\p{Cc}|\p{Cf}/gu, "�")
    .replaceAll(/[^\p{L}\p{M}\p{N} ,.…→·�_-]/gu, (sign) => `#${sign.codePointAt(0)};`);
}
