import { hash } from "node:crypto";
import type { Bundle, CompiledFlow, CompiledModel, CompiledStep, CompiledWorkflow } from "./bundle.ts";
import { canonicalJson } from "./canonical-json.ts";
import { splitTarget } from "./compile-models.ts";
import { withoutPlaces } from "./without-places.ts";

/** SHA-256 (hex) of a value's canonical JSON. */
export function hashJson(value: unknown): string {
  return hash("sha256", canonicalJson(value), "hex");
}

/** What a flow does itself, without its name for people, its file and places in it, when it is started, and how many of its runs at once. */
function contentHash(flow: CompiledFlow): string {
  const {
    hash: _hash,
    file: _file,
    description: _description,
    schedule: _schedule,
    concurrency: _concurrency,
    ...content
  } = withoutPlaces(flow) as CompiledWorkflow;
  return hashJson(content);
}

/**
 * The hash that a bundle of this content has. It covers everything but `hash` and the places in files: each flow enters by the hash of its
 * content, beside what that leaves out.
 */
export function hashBundle(bundle: Omit<Bundle, "hash"> & { hash?: string }): string {
  return sealHash(bundle, (name) => contentHash(bundle.flows[name]!));
}

function sealHash(bundle: Omit<Bundle, "hash"> & { hash?: string }, contentOf: (name: string) => string): string {
  const { hash: _, flows, ...rest } = bundle;
  const sealed = Object.entries(flows).map(([name, flow]) => {
    const { file, description, hash } = flow;
    const { schedule, concurrency } = flow.kind === "workflow" ? flow : {};
    return [name, { content: contentOf(name), file, description, hash, schedule, concurrency }];
  });
  return hashJson({ ...rest, flows: Object.fromEntries(sealed) });
}

/** The bundle with the hashes of its flows and its own computed anew. */
export function hashed(bundle: Omit<Bundle, "hash">): Bundle {
  const hashes = new FlowHashes(bundle);
  const flows = Object.fromEntries(Object.entries(bundle.flows).map(([name, flow]) => [name, { ...flow, hash: hashes.of(name) }]));
  const content = { ...bundle, flows };
  return { ...content, hash: sealHash(content, (name) => hashes.contentOf(name)) };
}

/** Names of the flows that a flow's steps run, rescues included, each once. */
export function calledFlows(flow: CompiledFlow): string[] {
  if (flow.kind === "task") return [];
  const called = new Set<string>();
  const visit = (steps: readonly CompiledStep[]): void => {
    for (const step of steps) {
      if (step.kind === "parallel") {
        visit(step.steps);
        continue;
      }
      if (step.kind === "run") called.add(step.flow);
      if (typeof step.onError === "object") called.add(step.onError.run);
    }
  };
  visit(flow.steps);
  return [...called];
}

/** Computes each flow's hash once, callees first. Workflows that run each other in a circle are refused before they come here. */
class FlowHashes {
  readonly #bundle: Omit<Bundle, "hash">;
  readonly #contents = new Map<string, string>();
  readonly #flows = new Map<string, string>();
  readonly #models = new Map<string, string>();
  readonly #providers = new Map<string, string>();

  constructor(bundle: Omit<Bundle, "hash">) {
    this.#bundle = bundle;
  }

  of(name: string): string {
    return remember(this.#flows, name, () => {
      const flow = this.#bundle.flows[name]!;
      const callees = Object.fromEntries(calledFlows(flow).map((callee) => [callee, this.of(callee)]));
      return hashJson({ content: this.contentOf(name), callees, ...(flow.kind === "task" ? { asks: this.#asks(flow.model) } : {}) });
    });
  }

  contentOf(name: string): string {
    return remember(this.#contents, name, () => contentHash(this.#bundle.flows[name]!));
  }

  /** Hash of what stands behind a model's name, in each environment that has its own. */
  #asks(name: string): string {
    return remember(this.#models, name, () => {
      const { models, environments } = this.#bundle;
      const variants: [string, object][] = Object.hasOwn(models, name) ? [["", this.#ask(models[name]!)]] : [];
      for (const [environment, own] of Object.entries(environments)) {
        if (Object.hasOwn(own.models, name)) variants.push([environment, this.#ask(own.models[name]!)]);
      }
      return hashJson(variants.length === 0 ? { provider: this.#provider(splitTarget(name).provider) } : Object.fromEntries(variants));
    });
  }

  #ask({ targets, timeoutMs, retries, cacheMs }: CompiledModel): object {
    const asked = targets.map(({ provider, model }) => ({ provider: this.#provider(provider), model }));
    return { targets: asked, timeoutMs, retries, ...(cacheMs === undefined ? {} : { cacheMs }) };
  }

  #provider(name: string): string {
    return remember(this.#providers, name, () => {
      const { limits: _, ...provider } = this.#bundle.providers[name] ?? {};
      return hashJson(this.#bundle.providers[name] === undefined ? null : provider);
    });
  }
}

function remember(known: Map<string, string>, name: string, compute: () => string): string {
  const found = known.get(name) ?? compute();
  known.set(name, found);
  return found;
}
