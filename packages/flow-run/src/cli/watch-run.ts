import type { Client } from "@flow-run/client";
import type { Run } from "@flow-run/spec";
import type { Progress } from "./views/progress.ts";

/** Follows a run on a server until it has ended. */
export async function watchRun(client: Client, id: string, progress: Progress): Promise<Run> {
  for await (const event of client.events(id)) {
    switch (event.type) {
      case "step-started":
        progress.stepStarted(event.path);
        break;
      case "step-finished": {
        const { path, status, startedAt, finishedAt, copied, attempts } = event.step;
        // Done by another run, at another time.
        if (copied) break;
        for (const { number, provider, model, error } of attempts) {
          if (error) progress.attemptFailed(path, number, `${provider}/${model}`, error.code);
        }
        progress.stepFinished(path, status, finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : 0);
        break;
      }
      case "text-delta":
        progress.text(event.text, event.path);
        break;
      case "text-restarted":
        progress.textRestarted(event.path);
        break;
      case "run-finished":
        return event.run;
    }
  }
  // The stream ended before: this reader had seen the last event.
  return client.waitForRun(id);
}
