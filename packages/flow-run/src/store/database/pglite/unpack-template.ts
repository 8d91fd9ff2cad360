import fs from "node:fs";
import path from "node:path";
import { readTemplate, type TemplateKey } from "./template-format.ts";

/** Fills an empty directory from a template. Returns false, having written nothing, when the template does not fit. */
export function unpackTemplate(templateFile: string, key: TemplateKey, directory: string): boolean {
  const template = readTemplate(fs.readFileSync(templateFile), key);
  if (!template) return false;
  for (const name of template.directories) fs.mkdirSync(path.join(directory, name), { recursive: true, mode: 0o700 });
  for (const file of template.files) fs.writeFileSync(path.join(directory, file.path), file.bytes, { mode: 0o600 });
  return true;
}
