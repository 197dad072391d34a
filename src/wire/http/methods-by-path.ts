import { type RouteSpec, routes } from "./routes.ts";

/** The methods that each path takes, HEAD with GET. */
export function methodsByPath(): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of Object.values(routes) as RouteSpec[]) {
    const known = methods.get(path) ?? [];
    known.push(...(method === "GET" ? ["GET", "HEAD"] : [method]));
    methods.set(path, known);
  }
  return methods;
}
