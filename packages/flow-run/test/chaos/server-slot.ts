import { setTimeout as pause } from "node:timers/promises";
import type { FaultyProxy } from "../support/faulty-proxy.ts";
import { type Program, startProgram } from "../support/program.ts";
import type { Site } from "./network.ts";

export type Role = "api" | "worker" | "all";

export interface SlotOptions {
  name: string;
  role: Role;
  /** The file of the program. */
  program: string;
  directory: string;
  env: Record<string, string>;
  site: Site;
  /** Its own way to the database. */
  link: FaultyProxy;
  /** Told when a process ends that nobody ended. */
  onDeath(name: string, words: string): void;
}

/** A server of the installation, whichever process it is at the moment. */
export class ServerSlot {
  readonly name: string;
  readonly role: Role;
  readonly site: Site;
  readonly link: FaultyProxy;
  /** Where it takes requests; null while it does not. */
  url: string | null = null;
  private readonly options: SlotOptions;
  private program: Program | null = null;
  private readonly former: Program[] = [];

  constructor(options: SlotOptions) {
    this.options = options;
    this.name = options.name;
    this.role = options.role;
    this.site = options.site;
    this.link = options.link;
  }

  get takesRequests(): boolean {
    return this.role !== "worker";
  }

  /** A new process in place of whatever was there. Resolves when it is ready. */
  async start(): Promise<void> {
    const { program: file, directory, env, site, onDeath } = this.options;
    const args = ["server", "--json", "--role", this.role, "--host", site.host, "--port", "0", "--data-dir", `${directory}/${this.name}`];
    const program = startProgram(file, args, { cwd: directory, within: site.within, env: { ...env, DATABASE_URL: this.link.url } });
    void program.ended.then(({ code, signal }) => {
      if (this.program !== program) return;
      this.url = null;
      onDeath(this.name, `ended by itself with ${code ?? signal}: ${program.stderr().slice(-2_000)}`);
    });
    this.program = program;
    const { url } = JSON.parse(await program.said(/^\{.*"url".*\}$/)) as { url: string };
    for (;;) {
      const ready = await fetch(`${url}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
      // Killed meanwhile, which is as it should be in this house.
      if (this.program !== program) return;
      if (ready) break;
      await pause(50);
    }
    this.url = url;
  }

  async kill(): Promise<void> {
    const program = this.take();
    await program?.kill();
  }

  freeze(): void {
    this.program?.signal("SIGSTOP");
  }

  thaw(): void {
    this.program?.signal("SIGCONT");
  }

  /** A new process first, then SIGTERM to the old one, as a rolling deploy does. Resolves with the old one's exit code. */
  async replace(): Promise<number | null> {
    const old = this.take();
    const ended = old?.ended;
    await this.start();
    old?.signal("SIGTERM");
    return (await ended)?.code ?? null;
  }

  async close(): Promise<void> {
    await this.kill();
    await Promise.all(this.former.map((program) => program.kill()));
  }

  /** The present process, whose end is expected from now on. Requests go to it until it is replaced. */
  private take(): Program | null {
    const { program } = this;
    this.program = null;
    this.url = null;
    if (program) this.former.push(program);
    return program;
  }
}
