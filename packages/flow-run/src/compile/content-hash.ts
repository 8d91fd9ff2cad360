import { hash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Bundle, CompiledFlow, CompiledModel, CompiledStep } from "./bundle.ts";
import { splitTarget } from "./compile-models.ts";
import { withoutPlaces } from "./without-places.ts";

/** SHA-256 (hex) of a value's canonical JSON (RFC 8785). */
export function hashJson(value: unknown): string {
  return hash("sha256", canonicalize(value) as string, "hex");
}

/** The hash that a bundle of this content has: of its canonical JSON without `hash`, and without places in files. */
export function hashBundle(bundle: Omit<Bundle, "hash"> & { hash?: string }): string {
  const { hash: _, ...content } = bundle;
  const flows = Object.fromEntries(Object.entries(bundle.flows).map(([name, flow]) => [name, withoutPlaces(flow)]));
  return hashJson({ ...content, flows });
}

/** The bundle with the hashes of its flows and its own computed anew. */
export function hashed(bundle: Omit<Bundle, "hash">): Bundle {
  const hashes = new FlowHashes(bundle);
  const flows = Object.fromEntries(Object.entries(bundle.flows).map(([name, flow]) => [name, { ...flow, hash: hashes.of(name) }]));
  const content = { ...bundle, flows };
  return { ...content, hash: hashBundle(content) };
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
  readonly #flows = new Map<string, string>();
  readonly #models = new Map<string, string>();
  readonly #providers = new Map<string, string>();

  constructor(bundle: Omit<Bundle, "hash">) {
    this.#bundle = bundle;
  }

  of(name: string): string {
    return remember(this.#flows, name, () => {
      const flow = this.#bundle.flows[name]!;
      const { hash: _hash, file: _file, description: _description, ...content } = withoutPlaces(flow) as CompiledFlow;
      const callees = Object.fromEntries(calledFlows(flow).map((callee) => [callee, this.of(callee)]));
      return hashJson({ content, callees, ...(flow.kind === "task" ? { asks: this.#asks(flow.model) } : {}) });
    });
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

  #ask({ targets, timeoutMs, retries }: CompiledModel): object {
    return { targets: targets.map(({ provider, model }) => ({ provider: this.#provider(provider), model })), timeoutMs, retries };
  }

  #provider(name: string): string {
    return remember(this.#providers, name, () => hashJson(this.#bundle.providers[name] ?? null));
  }
}

function remember(known: Map<string, string>, name: string, compute: () => string): string {
  const found = known.get(name) ?? compute();
  known.set(name, found);
  return found;
}
