import { resolve } from "node:path";
import { EXIT } from "../exit-code.ts";
import { projectRoot } from "../load-project.ts";
import type { CommonOptions } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { writeSchemas } from "../write-schemas.ts";

export async function schema({ terminal, options }: { terminal: Terminal; options: CommonOptions & { out?: string } }): Promise<number> {
  const folder = options.out ? resolve(options.out) : `${await projectRoot(options.project)}/.flow-run/schemas`;
  const files = await writeSchemas(folder);
  if (options.json) terminal.json({ folder, files });
  else
    terminal.out(
      `${terminal.style("green", "✓")} ${files.length} schemas written to ${folder}\nEditors with the YAML language server take them from the first line of a file: # yaml-language-server: $schema=PATH\n`,
    );
  return EXIT.fine;
}
