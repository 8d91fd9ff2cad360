import { hash } from "node:crypto";
import { DOCS_STYLE, docsPage, type OpenApiDocument } from "../docs-page.ts";
import type { HttpApp } from "../http-app.ts";

/** The API's description, for machines and for people. Both are made once, when they are first asked for. */
export function documentationRoutes(app: HttpApp): void {
  let document: string | undefined;
  let page: string | undefined;
  const styleHash = hash("sha256", DOCS_STYLE, "base64");

  app.get("/openapi.json", { compress: {}, schema: { hide: true } as object }, async (_request, reply) => {
    document ??= JSON.stringify(app.swagger());
    return reply.type("application/json; charset=utf-8").send(document);
  });

  app.get("/docs", { compress: {}, schema: { hide: true } as object }, async (_request, reply) => {
    page ??= docsPage(app.swagger() as unknown as OpenApiDocument);
    return reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; frame-ancestors 'none'`)
      .send(page);
  });
}
