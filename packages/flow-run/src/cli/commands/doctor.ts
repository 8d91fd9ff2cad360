import type { Check, DoctorOptions } from "../doctor/check.ts";
import { checkClock } from "../doctor/check-clock.ts";
import { checkDatabase } from "../doctor/check-database.ts";
import { checkProject } from "../doctor/check-project.ts";
import { checkProvider } from "../doctor/check-provider.ts";
import { checkSecrets } from "../doctor/check-secrets.ts";
import { checkServer } from "../doctor/check-server.ts";
import { EXIT } from "../exit-code.ts";
import { printable, type Terminal } from "../terminal.ts";
import { table } from "../views/table.ts";

/** Looks at everything a run needs and says what to do about what is missing. Exit 1 when a check fails. */
export async function doctor({ terminal, options }: { terminal: Terminal; options: DoctorOptions }): Promise<number> {
  const checks: Check[] = [{ name: "node", status: "ok", detail: `${process.versions.node} (${process.execPath})` }];
  const { check, bundle } = await checkProject(options);
  checks.push(check);
  const dates: Date[] = [];
  if (bundle) {
    checks.push(...checkSecrets(bundle));
    const providers = Object.entries(bundle.providers);
    checks.push(...(await Promise.all(providers.map(([name, provider]) => checkProvider(name, provider, options.offline, dates)))));
  }
  checks.push(await checkDatabase(options));
  if (options.env) checks.push(await checkServer(options.env, options.project));
  checks.push(checkClock(dates));

  if (options.json) terminal.json({ checks });
  else {
    const { style } = terminal;
    const marks = { ok: style("green", "✓"), warning: style("yellow", "!"), failed: style("red", "✗") };
    terminal.out(`${table([[], ...checks.map(({ name, status, detail }) => [marks[status], name, printable(detail)])]).trimStart()}\n`);
  }
  return checks.some(({ status }) => status === "failed") ? EXIT.failed : EXIT.fine;
}
