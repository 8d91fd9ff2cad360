/** How http steps reach the world. What may be reached, and how large an answer may be, is decided behind this port. */
export interface HttpCaller {
  /**
   * One request, one answer of whatever status, redirects included. Throws FlowRunError, whose `retryable` says whether another try may help;
   * rejects with the signal's reason when it aborts. There is no other limit in time.
   */
  request(request: HttpRequest): Promise<HttpAnswer>;
}

export interface HttpRequest {
  method: string;
  url: string;
  headers: { [name: string]: string };
  body: string | null;
  signal: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  /** Names in lower case. */
  headers: { [name: string]: string };
  body: Uint8Array;
}
