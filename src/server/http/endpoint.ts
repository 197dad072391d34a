/**
 * The frame around every route's handler: guard, errors as problem documents, CORS, metrics. One
 * function rather than a chain of middleware, since it runs for each single-record request.
 */
import type { Context, Hono } from "hono";
import type { Counter, Histogram } from "../../base/metrics.ts";
import { type RouteName, type RouteSpec, routes } from "../../wire/http/routes.ts";
import type { HttpContext } from "./context.ts";
import { Guard } from "./guard.ts";
import { responseOfError } from "./problem-response.ts";

export type Handler = (c: Context) => Response | Promise<Response>;

/**
 * `open`: anyone may ask. `preflight`: browsers ask without a token, which the guard's answer to
 * them takes into account. `costly`: a read that other origins' pages may not make. `guarded`: all
 * else.
 */
export type Access = "open" | "preflight" | "costly" | "guarded";

export class Endpoints {
  readonly #context: HttpContext;
  readonly guard: Guard;

  constructor(context: HttpContext) {
    this.#context = context;
    this.guard = new Guard(context.settings);
  }

  /** Mounts `handler` on `app` where the route table says. */
  mount(app: Hono, name: RouteName, handler: Handler): void {
    const spec: RouteSpec = routes[name];
    app.on(spec.method, spec.path, this.wrap(name, handler, accessOf(spec)));
  }

  /** `handler` with everything around it; `route` is its name in metrics. */
  wrap(route: string, handler: Handler, access: Access): Handler {
    const { platform, metrics } = this.#context;
    const counters = new Map<number, Counter>();
    const duration: Histogram = metrics.histogram(
      {
        name: "millrace_http_request_duration_seconds",
        help: "Time from the request to the head of its answer, long-polls included.",
      },
      { route },
    );
    const countOf = (status: number): Counter => {
      const known = counters.get(status);
      if (known !== undefined) return known;
      const counter = metrics.counter(
        { name: "millrace_http_requests_total", help: "HTTP requests by route and status." },
        { route, status: String(status) },
      );
      counters.set(status, counter);
      return counter;
    };
    return async (c) => {
      const started = platform.clock.monotonic();
      let response: Response;
      try {
        if (access === "guarded" || access === "costly") {
          this.guard.check(c.req.raw, access === "costly");
        }
        response = await handler(c);
        if (c.req.raw.method === "HEAD") response = await withoutBody(response);
      } catch (error) {
        response = responseOfError(error, platform.log);
      }
      if (access !== "open") this.guard.decorate(c.req.raw, response);
      countOf(response.status).add();
      duration.observe((platform.clock.monotonic() - started) / 1000);
      return response;
    };
  }
}

function accessOf({ isOpen, isCostly }: RouteSpec): Access {
  if (isOpen === true) return "open";
  return isCostly === true ? "costly" : "guarded";
}

/** The head of an answer alone; what would have made its body is let go. */
async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, { status: response.status, headers: response.headers });
}
