/**
 * Stands in the Worker's bundle for hono: routes by method and path, in the order in which they
 * were added, and of its context what our handlers use. A slash at a path's end is part of it.
 * Paths and parameters are decoded by hono's own functions.
 */
import { getPath, tryDecodeURIComponent } from "hono/utils/url";

type Handler = (c: Context) => Response | Promise<Response>;

interface Route {
  /** Null: any. */
  readonly method: string | null;
  readonly path: string;
  readonly pattern: RegExp;
  readonly handler: Handler;
}

export class Context {
  readonly req: {
    readonly raw: Request;
    readonly url: string;
    readonly method: string;
    readonly path: string;
    param(name: string): string | undefined;
  };
  readonly #values = new Map<string, unknown>();
  readonly #headers = new Headers();

  constructor(raw: Request, path: string, parameters: Readonly<Record<string, string>> = {}) {
    this.req = {
      raw,
      path,
      url: raw.url,
      method: raw.method,
      param: (name) => {
        const given = parameters[name];
        return given === undefined ? undefined : tryDecodeURIComponent(given);
      },
    };
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  set(key: string, value: unknown): void {
    this.#values.set(key, value);
  }

  header(name: string, value: string): void {
    this.#headers.set(name, value);
  }

  body(body: string | null, status = 200): Response {
    return new Response(body, { status, headers: this.#headers });
  }
}

export class Hono {
  readonly #routes: Route[] = [];
  #otherwise: Handler = () => new Response("404 Not Found", { status: 404 });

  on(method: string | null, path: string, handler: Handler): void {
    const named = path.replaceAll(".", "\\.").replace(/:(\w+)/g, "(?<$1>[^/]+)");
    this.#routes.push({ method, path, pattern: new RegExp(`^${named}$`), handler });
  }

  options(path: string, handler: Handler): void {
    this.on("OPTIONS", path, handler);
  }

  all(path: string, handler: Handler): void {
    this.on(null, path, handler);
  }

  notFound(handler: Handler): void {
    this.#otherwise = handler;
  }

  /** Adds the routes of `app`, whose paths are whole. */
  route(_root: "/", app: Hono): void {
    this.#routes.push(...app.#routes);
  }

  async fetch(request: Request): Promise<Response> {
    const path = getPath(request);
    // The answer to HEAD is that to GET without its body.
    const method = request.method === "HEAD" ? "GET" : request.method;
    for (const route of this.#routes) {
      if (route.method !== null && route.method !== method) continue;
      const met = route.pattern.exec(path);
      if (met === null) continue;
      const response = await route.handler(new Context(request, path, met.groups));
      return request.method === "HEAD" ? new Response(null, response) : response;
    }
    return await this.#otherwise(new Context(request, path));
  }
}
