import type { ModelAnswer, ModelCallOptions, ModelProvider, ModelRequest } from "../model.ts";

/** A provider that is loaded at its first call. */
export class LazyProvider implements ModelProvider {
  private readonly load: () => Promise<ModelProvider>;
  private provider: Promise<ModelProvider> | null = null;

  constructor(load: () => Promise<ModelProvider>) {
    this.load = load;
  }

  async call(model: string, request: ModelRequest, options: ModelCallOptions): Promise<ModelAnswer> {
    this.provider ??= this.load();
    return (await this.provider).call(model, request, options);
  }

  async close(): Promise<void> {
    await (await this.provider)?.close();
  }
}
