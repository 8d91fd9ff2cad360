/** As under `limits` of a model or a provider in the project file; what is missing is not limited. */
export interface LimitSettings {
  /** Requests at once. */
  concurrency?: number;
  requestsPerMinute?: number;
  tokensPerMinute?: number;
}

export function limitsAnything({ concurrency, requestsPerMinute, tokensPerMinute }: LimitSettings): boolean {
  return concurrency !== undefined || requestsPerMinute !== undefined || tokensPerMinute !== undefined;
}
