import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { ROOT } from "./processes.ts";

export interface Row {
  what: string;
  measured: string;
  /** The figure behind `measured`, for machines. */
  value?: number;
  /** Against what else was measured in this pass. */
  ratio?: string;
  goal?: string;
  met?: boolean;
}

/** What was measured, in the order in which it was. Rows are told on stderr as they come, because the whole takes minutes. */
export class Report {
  readonly rows: Row[] = [];

  add(row: Row): void {
    this.rows.push(row);
    console.error(`  ${cells(row).filter(Boolean).join(" · ")}`);
  }

  print(title: string): void {
    console.log(`\n${title}\n\n| what | measured | ratio | goal | |\n|---|---|---|---|---|`);
    for (const row of this.rows) console.log(`| ${cells(row).join(" | ")} |`);
    const judged = this.rows.filter((row) => row.met !== undefined);
    if (judged.length > 0) console.log(`\n${judged.filter((row) => row.met).length} of ${judged.length} goals met.`);
  }

  write(file: string, about: Record<string, unknown>): void {
    writeFileSync(file, `${JSON.stringify({ ...about, rows: this.rows }, null, 2)}\n`);
  }
}

function cells({ what, measured, ratio = "", goal = "", met }: Row): string[] {
  return [what, measured, ratio, goal, met === undefined ? "" : met ? "met" : "missed"];
}

export interface Machine {
  date: string;
  node: string;
  cores: number;
  cpu: string;
  memoryGb: number;
  postgres: string;
  commit: string;
}

export function machine(postgres: string): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    cores: cpus().length,
    cpu: cpus()[0]!.model,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    postgres,
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: ROOT, encoding: "utf8" }).trim(),
  };
}
