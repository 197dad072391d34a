/**
 * The frame around every route's handler: guard, errors as problem documents, CORS, metrics. One
 * function rather than a chain of middleware, since it runs for each single-record request.
 */
import type { Context, Hono } from "hono";
import type { Counter, Histogram } from "../../base/metrics.ts";
import { type RouteName, type RouteSpec, routes } from "../../wire/http/routes.ts";
import type { HttpContext } from "./context.ts";
import { Guard, preflightAnswer } from "./guard.ts";
import { responseOfError } from "./problem-response.ts";
import { shownToken } from "./shown-token.ts";
import { type Grant, TokenGate, type TokenUse } from "./token-gate.ts";

export type Handler = (c: Context) => Response | Promise<Response>;

/**
 * `open`: anyone may ask. `preflight`: browsers ask without a token, which the guard's answer to
 * them takes into account. `costly`: a read that other origins' pages may not make. `guarded`: all
 * else.
 */
export type Access = "open" | "preflight" | "costly" | "guarded";

/** The status of an answer by which a connection becomes a WebSocket. */
const switching = 101;

const grantKey = "grant";

/** What the access token of a request allows it; undefined when it shows none. */
export function grantOf(c: Context): Grant | undefined {
  return c.get(grantKey) as Grant | undefined;
}

export class Endpoints {
  readonly #context: HttpContext;
  readonly guard: Guard;
  readonly gate: TokenGate;

  constructor(context: HttpContext) {
    this.#context = context;
    this.guard = new Guard(context.settings);
    this.gate = new TokenGate(context.tokens, context.platform);
  }

  /** Mounts `handler` on `app` where the route table says. */
  mount(app: Hono, name: RouteName, handler: Handler): void {
    const spec: RouteSpec = routes[name];
    app.on(spec.method, spec.path, this.wrap(name, handler, accessOf(spec), spec.tokenOperation));
  }

  /**
   * The answer to a preflight (OPTIONS) for a path that takes `methods`. It comes without a token:
   * pages of a listed origin may ask for all of them, those of a token for the topic for what that
   * is good for.
   */
  async preflight(c: Context, path: string, methods: readonly string[]): Promise<Response> {
    const { raw: request } = c.req;
    const origin = request.headers.get("Origin");
    const topic = c.req.param("topic");
    if (origin !== null && topic !== undefined && !this.guard.isListed(origin)) {
      for (const { path: known, method, tokenOperation } of Object.values(routes) as RouteSpec[]) {
        if (known !== path || tokenOperation === undefined) continue;
        if (request.headers.get("Access-Control-Request-Method") !== method) continue;
        if (await this.gate.book.hasOrigin(origin, topic, [tokenOperation])) {
          return preflightAnswer([method], origin);
        }
      }
    }
    return this.guard.preflight(request, methods);
  }

  /** `handler` with everything around it; `route` is its name in metrics. */
  wrap(
    route: string,
    handler: Handler,
    access: Access,
    operation?: TokenUse["operation"],
  ): Handler {
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
      let grant: Grant | undefined;
      try {
        if (access === "guarded" || access === "costly") {
          const shown = shownToken(c.req.raw);
          if (shown === undefined) this.guard.check(c.req.raw, access === "costly");
          else {
            this.guard.checkHost(c.req.raw);
            const use = { operation, topic: c.req.param("topic") ?? "" };
            grant = await this.gate.admit(c.req.raw, shown, use);
            // A token without pages of its own adds none to those that may use this server.
            if (!grant.hasOrigins) this.guard.checkOrigin(c.req.raw);
            c.set(grantKey, grant);
          }
        }
        response = await handler(c);
        if (c.req.raw.method === "HEAD") response = await withoutBody(response);
      } catch (error) {
        response = responseOfError(error, platform.log);
      }
      // The head of a socket has left by then.
      if (access !== "open" && response.status !== switching) {
        const isTokens =
          grant?.hasOrigins === true || this.#isTokensRefusal(c, response, operation);
        this.guard.decorate(c.req.raw, response, isTokens);
      }
      countOf(response.status).add();
      duration.observe((platform.clock.monotonic() - started) / 1000);
      return response;
    };
  }

  /** A page may see why its token was refused. */
  #isTokensRefusal(c: Context, { status }: Response, operation: TokenUse["operation"]): boolean {
    const origin = c.req.raw.headers.get("Origin");
    if (origin === null || status < 400 || operation === undefined) return false;
    return this.gate.book.knowsOrigin(origin, c.req.param("topic") ?? "", [operation]);
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
