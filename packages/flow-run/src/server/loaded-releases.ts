import type { Bundle, CompiledFlow } from "../compile/index.ts";
import type { Store } from "../store/index.ts";

const MAX_RELEASES = 100;

/** A release as the server needs it. Immutable, shared by all requests. */
export interface LoadedRelease {
  number: number;
  bundle: Bundle;
  flow(name: string): CompiledFlow | undefined;
}

/** Releases that were read before; they never change, so they are kept until too many are. */
export class LoadedReleases {
  private readonly store: Pick<Store, "getBundle">;
  private readonly loaded = new Map<string, Promise<LoadedRelease | null>>();

  constructor(store: Pick<Store, "getBundle">) {
    this.store = store;
  }

  /** null for a release that the environment does not have. */
  get(environment: string, number: number): Promise<LoadedRelease | null> {
    const key = `${environment} ${number}`;
    const known = this.loaded.get(key);
    if (known !== undefined) return known;
    const loading = this.load(environment, number);
    if (this.loaded.size >= MAX_RELEASES) this.loaded.delete(this.loaded.keys().next().value!);
    this.loaded.set(key, loading);
    // A release that is not there yet may be there later, and a failed read says nothing.
    loading.then(
      (release) => release ?? this.loaded.delete(key),
      () => this.loaded.delete(key),
    );
    return loading;
  }

  private async load(environment: string, number: number): Promise<LoadedRelease | null> {
    const stored = await this.store.getBundle(environment, number);
    if (stored === null) return null;
    const bundle = stored as unknown as Bundle;
    return { number, bundle, flow: (name) => (Object.hasOwn(bundle.flows, name) ? bundle.flows[name] : undefined) };
  }
}
