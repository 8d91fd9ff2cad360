import type { ProjectDefinition } from "../definitions/project.ts";
import type { PromptDefinition } from "../definitions/prompt.ts";
import type { WorkflowDefinition } from "../definitions/workflow.ts";
import type { Definition, SourceFile } from "./definition.ts";

/** A `.prompt` file: its front matter as the definition, its body as text. */
export interface PromptSource extends Definition<PromptDefinition> {
  /** Handlebars source after the front matter. */
  body: string;
  /** Offset of the body's first character in `source.file.text`. */
  bodyStart: number;
}

/** `prompts/_NAME.prompt`; no front matter. */
export interface PartialSource {
  name: string;
  file: SourceFile;
}

/** All definitions of a project, read and each valid by its own format's schema; references between them are not yet checked. */
export interface ProjectSource {
  project: Definition<ProjectDefinition>;
  prompts: PromptSource[];
  partials: PartialSource[];
  workflows: Definition<WorkflowDefinition>[];
  /** Text of files that definitions name (a simulator's script), by path from the root. */
  assets: Map<string, string>;
}
