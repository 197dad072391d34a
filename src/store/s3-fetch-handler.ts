/**
 * Carries the S3 client's requests over `fetch`, which every runtime has and keeps connections
 * alive for. Objects are read whole into one buffer before the client sees the answer: taking an
 * 8 MiB body apart into stream chunks and together again costs half of the throughput on Bun.
 * The client insists on a stream, so it gets an empty one, and `bodyOf` gives the bytes for it.
 */

/** The parts of the client's request that matter here. */
interface HandlerRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface HandlerResponse {
  readonly statusCode: number;
  readonly reason: string;
  readonly headers: Record<string, string>;
  readonly body: ReadableStream<Uint8Array> | undefined;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export class S3FetchHandler {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #fetch: Fetch;
  readonly #bodies = new WeakMap<object, Uint8Array>();

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** The bytes of an object that the client's answer stands for. */
  bodyOf(stream: unknown): Uint8Array | undefined {
    return typeof stream === "object" && stream !== null ? this.#bodies.get(stream) : undefined;
  }

  async handle(
    request: HandlerRequest,
    options: { readonly abortSignal?: AbortSignal } = {},
  ): Promise<{ response: HandlerResponse }> {
    const { host, ...headers } = request.headers;
    const init: RequestInit = { method: request.method, headers, redirect: "manual" };
    if (options.abortSignal !== undefined) init.signal = options.abortSignal;
    if (request.body !== undefined) init.body = request.body as NonNullable<RequestInit["body"]>;
    const response = await this.#fetch(urlOf(request, host), init);
    const isObject = request.method === "GET" && request.query?.["x-id"] === "GetObject";
    return {
      response: {
        statusCode: response.status,
        reason: response.statusText,
        headers: Object.fromEntries(response.headers),
        body: isObject && response.ok ? await this.#whole(response) : bodyOrEmpty(response),
      },
    };
  }

  /** Settings that the client would change later: there are none. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {}

  async #whole(response: Response): Promise<ReadableStream<Uint8Array>> {
    const bytes = new Uint8Array(await response.arrayBuffer());
    const stream = emptyStream();
    this.#bodies.set(stream, bytes);
    return stream;
  }
}

function urlOf(request: HandlerRequest, host: string | undefined): string {
  const port = request.port === undefined ? "" : `:${request.port}`;
  const query = queryText(request.query ?? {});
  const authority = host ?? `${request.hostname}${port}`;
  return `${request.protocol}//${authority}${request.path}${query === "" ? "" : `?${query}`}`;
}

function queryText(query: NonNullable<HandlerRequest["query"]>): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(query)) {
    if (value === null) parts.push(escaped(key));
    else for (const one of [value].flat()) parts.push(`${escaped(key)}=${escaped(one)}`);
  }
  return parts.join("&");
}

/** As the signature escapes: everything but the unreserved characters of RFC 3986. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function bodyOrEmpty(response: Response): ReadableStream<Uint8Array> {
  return response.body ?? emptyStream();
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
