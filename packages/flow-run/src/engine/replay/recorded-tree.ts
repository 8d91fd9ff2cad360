/** What a run has recorded, by place: a step below the step that called it. */
export interface RecordedNode {
  path: string;
  /** Of the recorded step; null where only something below it, or something unfinished, is known. */
  status: "succeeded" | "failed" | "skipped" | null;
  /** By the next part of the path: `draft`, `[2]`, `onError`, `try`. */
  children: Map<string, RecordedNode>;
}

/** The parts of a path: `fix.draft[2]` is `fix`, `draft`, `[2]`. null for what is no path. */
export function pathParts(path: string): string[] | null {
  const parts = path.match(/[^.[\]]+|\[(?:0|[1-9]\d*)\]/g) ?? [];
  return parts.length > 0 && joinParts(parts) === path ? parts : null;
}

function joinParts(parts: readonly string[]): string {
  return parts.reduce((path, part) => extend(path, part), "");
}

function extend(path: string, part: string): string {
  return path === "" || part.startsWith("[") ? path + part : `${path}.${part}`;
}

/** `underWay`: paths of steps that were begun and not recorded. */
export function recordedTree(
  steps: readonly { path: string; status: "succeeded" | "failed" | "skipped" }[],
  underWay: readonly string[],
): RecordedNode {
  const root: RecordedNode = { path: "", status: null, children: new Map() };
  const at = (path: string): RecordedNode | null => {
    let node = root;
    for (const part of pathParts(path) ?? []) {
      let child = node.children.get(part);
      if (!child) {
        child = { path: extend(node.path, part), status: null, children: new Map() };
        node.children.set(part, child);
      }
      node = child;
    }
    return node === root ? null : node;
  };
  for (const { path, status } of steps) {
    const node = at(path);
    if (node) node.status = status;
  }
  for (const path of underWay) at(path);
  return root;
}

/** Paths of all recorded steps of a branch, itself included. */
export function recordedPaths(node: RecordedNode): string[] {
  const paths: string[] = [];
  const visit = (one: RecordedNode) => {
    if (one.status !== null) paths.push(one.path);
    for (const child of one.children.values()) visit(child);
  };
  visit(node);
  return paths;
}
