/** As much of an OpenAPI document as the page shows. */
export interface OpenApiDocument {
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, unknown> };
}

interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: unknown }[];
  requestBody?: { content?: Record<string, { schema?: unknown }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>;
}

export const DOCS_STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8884; text-transform: capitalize; }
details { border: 1px solid #8884; border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
summary code { font-weight: 600; }
pre { overflow: auto; background: #8881; padding: .6rem; border-radius: .3rem; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; }
.quiet { opacity: .7; }
`;

/** The API as one HTML page: no script, nothing loaded from anywhere. */
export function docsPage(document: OpenApiDocument): string {
  const tags = document.tags ?? [];
  const sections = tags.map((tag) => section(document, tag.name, tag.description ?? "")).join("");
  const schemas = Object.entries(document.components?.schemas ?? {})
    .map(([name, schema]) => `<details id="${html(name)}"><summary><code>${html(name)}</code></summary>${code(schema)}</details>`)
    .join("");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(document.info.title)} API</title><style>${DOCS_STYLE}</style></head><body>
<h1>${html(document.info.title)} API <small class="quiet">${html(document.info.version)}</small></h1>
<p>${prose(document.info.description ?? "")} The same for machines: <a href="/openapi.json">/openapi.json</a>.</p>
${sections}<h2>Schemas</h2>${schemas}</body></html>`;
}

function section(document: OpenApiDocument, tag: string, description: string): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags?.includes(tag))
      .map(([method, operation]) => operationDetails(method, path, operation)),
  );
  return `<h2>${html(tag)}</h2><p>${prose(description)}</p>${operations.join("")}`;
}

function operationDetails(method: string, path: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).map(
    (parameter) =>
      `<tr><td><code>${html(parameter.name)}</code></td><td class="quiet">${html(parameter.in)}${parameter.required ? ", required" : ""}</td><td>${prose(parameter.description ?? "")} <code>${html(JSON.stringify(parameter.schema ?? {}))}</code></td></tr>`,
  );
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(
    ([type, body]) => `<h4>Body <small class="quiet">${html(type)}</small></h4>${code(body.schema)}`,
  );
  const responses = Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const shapes = Object.entries(response.content ?? {}).map(
      ([type, content]) => `<span class="quiet">${html(type)}</span> ${shape(content.schema)}`,
    );
    return `<tr><td><code>${html(status)}</code></td><td>${prose(response.description ?? "")} ${shapes.join(" ")}</td></tr>`;
  });
  return `<details><summary><code>${html(method.toUpperCase())} ${html(path)}</code> ${prose(operation.summary ?? "")}</summary>
<p>${prose(operation.description ?? "")}</p>${parameters.length === 0 ? "" : `<h4>Parameters</h4><table>${parameters.join("")}</table>`}
${bodies.join("")}<h4>Answers</h4><table>${responses.join("")}</table></details>`;
}

function shape(schema: unknown): string {
  const reference = (schema as { $ref?: unknown } | undefined)?.$ref;
  if (typeof reference !== "string") return schema === undefined ? "" : code(schema);
  const name = reference.split("/").at(-1)!;
  return `<a href="#${html(name)}">${html(name)}</a>`;
}

function code(value: unknown): string {
  return `<pre>${html(JSON.stringify(value, null, 2) ?? "")}</pre>`;
}

/** Descriptions use backticks for code and blank lines for paragraphs; nothing else. */
function prose(text: string): string {
  return html(text)
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replaceAll("\n\n", "<br>");
}

function html(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
