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
import type { RequestHead } from "./request-head.ts";
import { type ShownToken, shownToken } from "./shown-token.ts";
import { type Grant, TokenGate, type TokenUse } from "./token-gate.ts";

export type Handler = (c: Context) => Response | Promise<Response>;

/** What a frame is put around. */
export interface Framed<A> {
  readonly request: RequestHead;
  /** The topic that the path names; empty where it names none. */
  readonly topic: string;
  /** Makes the answer of whoever may ask. */
  act(grant: Grant | undefined): A | Promise<A>;
  /** Makes the answer of what went wrong. */
  refuse(error: unknown): A;
}

/** The frame of a route: who may ask, errors as answers, CORS, metrics. Never rejects. */
export type Frame = <A extends Pick<Response, "status" | "headers">>(
  framed: Framed<A>,
) => Promise<A>;

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
    const frame = this.frame(route, access, operation);
    const { log } = this.#context.platform;
    return (c) =>
      frame<Response>({
        request: c.req.raw,
        topic: c.req.param("topic") ?? "",
        act: async (grant) => {
          if (grant !== undefined) c.set(grantKey, grant);
          const response = await handler(c);
          return c.req.raw.method === "HEAD" ? withoutBody(response) : response;
        },
        refuse: (error) => responseOfError(error, log),
      });
  }

  /** The frame of the route that the table names so. */
  frameOf(name: RouteName): Frame {
    const spec: RouteSpec = routes[name];
    return this.frame(name, accessOf(spec), spec.tokenOperation);
  }

  frame(route: string, access: Access, operation?: TokenUse["operation"]): Frame {
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
    return async ({ request, topic, act, refuse }) => {
      const started = platform.clock.monotonic();
      const use = { operation, topic };
      let response: ReturnType<typeof refuse>;
      let pages: Pages = "listed";
      try {
        let grant: Grant | undefined;
        if (access === "guarded" || access === "costly") {
          const shown = shownToken(request);
          const isPublic = isPublicRead(request, this.#context.settings.publicTopics);
          // Who may read without a token may with one for something else.
          if (isPublic && shown?.place !== "query") {
            this.guard.checkHost(request);
            pages = "all";
          } else if (shown === undefined) this.guard.check(request, access === "costly");
          else {
            grant = await this.#admitToken(request, shown, use);
            pages = grant.hasOrigins ? "tokens" : "listed";
          }
        }
        response = await act(grant);
      } catch (error) {
        response = refuse(error);
      }
      // The head of a socket has left by then, but for one that carries a stream.
      const hasLeft = response.status === switching && this.#context.carriesStreams !== true;
      if (access !== "open" && !hasLeft) {
        const isTokens = pages === "tokens" || this.#isTokensRefusal(request, response, use);
        if (pages === "all") decorateForAll(response);
        else this.guard.decorate(request, response, isTokens);
      }
      countOf(response.status).add();
      duration.observe((platform.clock.monotonic() - started) / 1000);
      return response;
    };
  }

  async #admitToken(request: RequestHead, shown: ShownToken, use: TokenUse): Promise<Grant> {
    this.guard.checkHost(request);
    const grant = await this.gate.admit(request, shown, use);
    // A token without pages of its own adds none to those that may use this server.
    if (!grant.hasOrigins) this.guard.checkOrigin(request);
    return grant;
  }

  /** A page may see why its token was refused. */
  #isTokensRefusal(
    request: RequestHead,
    { status }: Pick<Response, "status">,
    { operation, topic }: TokenUse,
  ): boolean {
    const origin = request.headers.get("Origin");
    if (origin === null || status < 400 || operation === undefined) return false;
    return this.gate.book.knowsOrigin(origin, topic, [operation]);
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
