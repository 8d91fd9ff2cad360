/** Counters of this process, in the text format of Prometheus. Labels name flows, environments and routes, never runs or callers. */
export class Metrics {
  /** By flow and environment, joined by a line break, which neither can hold: labels are written when they are asked for, not for every request. */
  private readonly accepted = new Map<string, number>();
  /** By method, route and status, likewise. */
  private readonly requests = new Map<string, number>();
  private requestSeconds = 0;
  private requestCount = 0;

  runAccepted(flow: string, environment: string): void {
    add(this.accepted, `${flow}\n${environment}`);
  }

  request(method: string, route: string, status: number, seconds: number): void {
    add(this.requests, `${method}\n${route}\n${status}`);
    this.requestSeconds += seconds;
    this.requestCount += 1;
  }

  /** `gauges` are read for this answer: name → what it means and its value. `webhooks`: attempts by outcome. */
  text(gauges: { name: string; help: string; value: number }[], webhooks: ReadonlyMap<string, number> = new Map()): string {
    const lines: string[] = [];
    const metric = (name: string, type: string, help: string) => lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const gauge of gauges) {
      metric(gauge.name, "gauge", gauge.help);
      lines.push(`${gauge.name} ${gauge.value}`);
    }
    metric("flowrun_runs_accepted_total", "counter", "Runs accepted by this process.");
    for (const [key, count] of this.accepted) lines.push(`flowrun_runs_accepted_total${labels(["flow", "environment"], key)} ${count}`);
    if (webhooks.size > 0)
      metric("flowrun_webhook_deliveries_total", "counter", "Attempts of this process to deliver a webhook, by what became of them.");
    for (const [outcome, count] of webhooks) lines.push(`flowrun_webhook_deliveries_total${labels(["outcome"], outcome)} ${count}`);
    metric("flowrun_http_requests_total", "counter", "HTTP requests answered by this process.");
    for (const [key, count] of this.requests)
      lines.push(`flowrun_http_requests_total${labels(["method", "route", "status"], key)} ${count}`);
    metric("flowrun_http_request_seconds", "summary", "Time from a request's header to the end of its answer.");
    lines.push(`flowrun_http_request_seconds_sum ${this.requestSeconds}`, `flowrun_http_request_seconds_count ${this.requestCount}`);
    return `${lines.join("\n")}\n`;
  }
}

function add(counters: Map<string, number>, key: string): void {
  counters.set(key, (counters.get(key) ?? 0) + 1);
}

function labels(names: readonly string[], key: string): string {
  const values = key.split("\n");
  const pairs = names.map((name, index) => `${name}="${values[index]!.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`);
  return `{${pairs.join(",")}}`;
}
