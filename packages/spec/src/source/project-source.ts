import type { AgentDefinition } from "../definitions/agent.ts";
import type { EvalDefinition } from "../definitions/eval.ts";
import type { ProjectDefinition } from "../definitions/project.ts";
import type { PromptDefinition } from "../definitions/prompt.ts";
import type { ToolDefinition } from "../definitions/tool.ts";
import type { WorkflowDefinition } from "../definitions/workflow.ts";
import type { Definition, DefinitionKind, SourceFile } from "./definition.ts";

/** A `.prompt` file: its front matter as the definition, its body as text. A file without front matter has an empty definition. */
export interface PromptSource extends Definition<PromptDefinition> {
  /** Handlebars source; with front matter before it, without blanks and line breaks at both ends, as Dotprompt renders it. */
  body: string;
  /** Offset of the body's first character in `source.file.text`. */
  bodyStart: number;
}

/** `prompts/_NAME.prompt`; no front matter. */
export interface PartialSource {
  name: string;
  file: SourceFile;
}

/** A definition that could not be read: it has diagnostics, and is no reason for further ones wherever its name is used. */
export interface BrokenDefinition {
  kind: DefinitionKind | "partial";
  name: string;
  file: string;
}

/**
 * All definitions of a project, read and each valid by its own format's schema; references between them are not yet checked.
 * Lists are sorted by file name.
 */
export interface ProjectSource {
  project: Definition<ProjectDefinition>;
  prompts: PromptSource[];
  partials: PartialSource[];
  workflows: Definition<WorkflowDefinition>[];
  agents: Definition<AgentDefinition>[];
  tools: Definition<ToolDefinition>[];
  evals: Definition<EvalDefinition>[];
  /** Files that are there but could not be read. */
  broken: BrokenDefinition[];
  /** Text of files that definitions name (a simulator's script, an eval's cases), by path from the root. */
  assets: Map<string, string>;
}
