/**
 * The frame around every route's handler: guard, errors as problem documents, CORS, metrics. One
 * function rather than a chain of middleware, since it runs for each single-record request.
 */
import type { Context, Hono } from "hono";
import type { Counter, Histogram } from "../../base/metrics.ts";
import { type RouteName, type RouteSpec, routes } from "../../wire/http/routes.ts";
import type { HttpContext } from "./context.ts";
import { decorateForAll, Guard, preflightAnswer } from "./guard.ts";
import { responseOfError } from "./problem-response.ts";
import { isPublicRead } from "./public-read.ts";
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

/** Which pages may read an answer: those of all origins, the token's, or the settings'. */
type Pages = "all" | "tokens" | "listed";

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
    const method = request.headers.get("Access-Control-Request-Method") ?? "";
    if (isPublicRead({ method, url: request.url }, this.#context.settings.publicTopics)) {
      return preflightAnswer(["GET"], "*");
    }
    if (origin !== null && topic !== undefined && !this.guard.isListed(origin)) {
      for (const route of Object.values(routes) as RouteSpec[]) {
        const { tokenOperation } = route;
        if (route.path !== path || route.method !== method || !tokenOperation) continue;
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
      let pages: Pages = "listed";
      try {
        if (access === "guarded" || access === "costly") {
          pages = await this.#admit(c, operation, access === "costly");
        }
        response = await handler(c);
        if (c.req.raw.method === "HEAD") response = await withoutBody(response);
      } catch (error) {
        response = responseOfError(error, platform.log);
      }
      // The head of a socket has left by then.
      if (access !== "open" && response.status !== switching) {
        const isTokens = pages === "tokens" || this.#isTokensRefusal(c, response, operation);
        if (pages === "all") decorateForAll(response);
        else this.guard.decorate(c.req.raw, response, isTokens);
      }
      countOf(response.status).add();
      duration.observe((platform.clock.monotonic() - started) / 1000);
      return response;
    };
  }

  /** Throws for who may not ask; tells which pages may read the answer. */
  async #admit(c: Context, operation: TokenUse["operation"], isCostly: boolean): Promise<Pages> {
    const { raw: request } = c.req;
    const shown = shownToken(request);
    if (shown === undefined) {
      const isPublic = isPublicRead(request, this.#context.settings.publicTopics);
      if (isPublic) this.guard.checkHost(request);
      else this.guard.check(request, isCostly);
      return isPublic ? "all" : "listed";
    }
    this.guard.checkHost(request);
    const use = { operation, topic: c.req.param("topic") ?? "" };
    const grant = await this.gate.admit(request, shown, use);
    // A token without pages of its own adds none to those that may use this server.
    if (!grant.hasOrigins) this.guard.checkOrigin(request);
    c.set(grantKey, grant);
    return grant.hasOrigins ? "tokens" : "listed";
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
