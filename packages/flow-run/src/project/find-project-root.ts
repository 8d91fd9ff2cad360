import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** The file that makes a folder a project. */
export const PROJECT_FILE = "flow-run.yaml";

/** The nearest folder with a flow-run.yaml, from a folder or file upwards; null when there is none. */
export async function findProjectRoot(from: string): Promise<string | null> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const found = await stat(join(folder, PROJECT_FILE)).catch(() => undefined);
    if (found !== undefined) return folder;
    if (dirname(folder) === folder) return null;
  }
}
