/**
 * Where a file that a definition names stands, from the project's root: `evals/a.yaml` and `../datasets/a.jsonl` give
 * `datasets/a.jsonl`, the key under `ProjectSource.assets`. Undefined when the path is absolute or leads out of the project.
 */
export function assetPath(definitionFile: string, path: string): string | undefined {
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path) || path.includes("\\") || path.includes("\0")) return undefined;
  const segments = definitionFile.split("/").slice(0, -1);
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.length === 0 ? undefined : segments.join("/");
}
