/**
 * S3 as Cloudflare offers it to a bucket of R2, over the simulator's bucket of a Worker on this
 * machine: so that the Worker and processes outside share it. Of S3 it has what our store asks for.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Found {
  readonly key: string;
  readonly size: number;
  readonly customMetadata?: Readonly<Record<string, string>>;
}

/** What is used of a bucket. */
export interface R2Outside {
  head(key: string): Promise<Found | null>;
  get(
    key: string,
    options: object,
  ): Promise<(Found & { arrayBuffer(): Promise<ArrayBuffer> }) | null>;
  put(key: string, bytes: Uint8Array, options: object): Promise<unknown>;
  delete(keys: string[]): Promise<void>;
  list(options: object): Promise<{ readonly objects: readonly Found[] }>;
}

interface Answer {
  readonly status: number;
  readonly body?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface S3OfBucket {
  /** As `--store` takes it. */
  readonly storeUrl: string;
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const prefix = "x-amz-meta-";

/** `findBucket` is asked each time: what it gave before does not outlive a restart of the Worker. */
export async function serveBucket(findBucket: () => Promise<R2Outside>): Promise<S3OfBucket> {
  const server = createServer((request, response) => {
    void answer(findBucket, request).then(
      (found) => send(request, response, found),
      (error: unknown) => send(request, response, { status: 500, body: String(error) }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const place = `endpoint=http://127.0.0.1:${port}&region=auto&path-style=true`;
  return {
    storeUrl: `s3://bucket?${place}`,
    env: { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "secret" },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  findBucket: () => Promise<R2Outside>,
  request: IncomingMessage,
): Promise<Answer> {
  const bucket = await findBucket();
  const url = new URL(request.url ?? "/", "http://localhost");
  const key = decodeURIComponent(url.pathname.split("/").slice(2).join("/"));
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (request.method === "POST") {
    const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, each = ""]) => each);
    await bucket.delete(keys);
    return { status: 200, body: "<DeleteResult></DeleteResult>" };
  }
  if (request.method === "PUT") return await put(bucket, key, { request, body });
  if (request.method === "DELETE") {
    await bucket.delete([key]);
    return { status: 204 };
  }
  if (key === "") return await list(bucket, url.searchParams.get("prefix") ?? "");
  return await read(bucket, key, request);
}

async function put(
  bucket: R2Outside,
  key: string,
  { request, body }: { request: IncomingMessage; body: Buffer },
): Promise<Answer> {
  if ((await bucket.head(key)) !== null) return refusal(412, "PreconditionFailed");
  const metadata = Object.entries(request.headers).filter(([name]) => name.startsWith(prefix));
  const customMetadata = Object.fromEntries(
    metadata.map(([name, value]) => [name.slice(prefix.length), String(value)]),
  );
  await bucket.put(key, new Uint8Array(body), { customMetadata });
  return { status: 200 };
}

async function read(bucket: R2Outside, key: string, request: IncomingMessage): Promise<Answer> {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  const found = await bucket.head(key);
  if (found === null) return refusal(404, "NoSuchKey");
  const headers = Object.fromEntries(
    Object.entries(found.customMetadata ?? {}).map(([name, value]) => [prefix + name, value]),
  );
  const [offset, last] =
    match === null ? [0, found.size - 1] : [Number(match[1]), Number(match[2])];
  if (request.method === "HEAD") {
    return { status: 200, headers: { ...headers, "content-length": String(found.size) } };
  }
  if (offset >= found.size) return refusal(416, "InvalidRange");
  const length = Math.min(last + 1, found.size) - offset;
  const part = await bucket.get(key, { range: { offset, length } });
  if (part === null) return refusal(404, "NoSuchKey");
  const body = new Uint8Array(await part.arrayBuffer());
  const range = `bytes ${offset}-${offset + body.length - 1}/${found.size}`;
  return {
    status: match === null ? 200 : 206,
    body,
    headers: { ...headers, "content-range": range },
  };
}

async function list(bucket: R2Outside, asked: string): Promise<Answer> {
  const { objects } = await bucket.list({ prefix: asked });
  const rows = objects.map(
    ({ key, size }) => `<Contents><Key>${key}</Key><Size>${size}</Size></Contents>`,
  );
  const body = `<ListBucketResult><IsTruncated>false</IsTruncated>${rows.join("")}</ListBucketResult>`;
  return { status: 200, body, headers: { "content-type": "application/xml" } };
}

function refusal(status: number, code: string): Answer {
  const body = `<Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return { status, body, headers: { "content-type": "application/xml" } };
}

function send(request: IncomingMessage, response: ServerResponse, found: Answer): void {
  const { status, body = "", headers = {} } = found;
  const length = String(Buffer.byteLength(body));
  response.writeHead(status, { "content-length": length, ...headers });
  response.end(request.method === "HEAD" ? undefined : body);
}
