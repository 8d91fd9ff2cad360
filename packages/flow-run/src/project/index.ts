// Files of a project become definitions here, every mistake a diagnostic with its place. Reads only regular files inside the project
// and checks each against its own format; what one definition says of another is for compilation to check.
export { findProjectRoot, PROJECT_FILE } from "./find-project-root.ts";
export { type ReadProject, readProject, readProjectFile } from "./read-project.ts";
export { type ReadPromptFile, readPromptFile } from "./read-prompt-file.ts";
