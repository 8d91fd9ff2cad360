import type { FastifyReply, FastifyRequest } from "fastify";
import type { HttpApp } from "../http-app.ts";
import { RequestRefusal } from "../request-refusal.ts";

/** Answers what no route takes: 405 with `Allow` when the path is right and the method is not, else 404. */
export function unmatchedRoutes(app: HttpApp): void {
  const known: { method: string; path: RegExp }[] = [];
  app.addHook("onRoute", (route) => {
    const path = new RegExp(`^${route.url.replaceAll(".", "\\.").replaceAll(/:[A-Za-z]+/g, "[^/]+")}$`);
    for (const method of [route.method].flat()) known.push({ method, path });
  });
  app.setNotFoundHandler((request: FastifyRequest, _reply: FastifyReply) => {
    const path = request.url.split("?", 1)[0]!;
    const allowed = [...new Set(known.filter((route) => route.path.test(path)).map((route) => route.method))].sort();
    if (allowed.length === 0) throw new RequestRefusal("route-not-found", "See /docs for all routes of this server.");
    throw new RequestRefusal("method-not-allowed", `Use ${allowed.join(" or ")} here.`, { headers: { allow: allowed.join(", ") } });
  });
}
