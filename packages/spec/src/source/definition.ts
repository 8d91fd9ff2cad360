import type { Document, LineCounter } from "yaml";

/** A text file of a project. */
export interface SourceFile {
  /** From the project's root, with forward slashes. */
  path: string;
  /**
   * Decoded UTF-8 without a byte order mark. Line ends are `\n` whatever the file has, so that its hash is the same on every
   * system; lines and columns are those of the file.
   */
  text: string;
}

/**
 * A YAML document inside a file: the whole of a `.yaml` file, or the front matter of a `.prompt` file.
 * Node offsets count from `start`; `placeAt` and `rangeOf` turn them into lines and columns of the file.
 */
export interface YamlSource {
  file: SourceFile;
  document: Document;
  lineCounter: LineCounter;
  /** Offset in `file.text` where the YAML text begins. 0 for a `.yaml` file. */
  start: number;
}

export type DefinitionKind = "project" | "prompt" | "workflow" | "agent" | "tool" | "eval";

/** What the author wrote in one file, read and validated against its format's schema. */
export interface Definition<Value> {
  kind: DefinitionKind;
  /** The file's name without folder and ending; for the project file, its `name`. */
  name: string;
  source: YamlSource;
  value: Value;
}
