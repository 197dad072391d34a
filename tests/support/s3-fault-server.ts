/**
 * An S3 of a few operations on 127.0.0.1, over real connections, that misbehaves on request: for
 * what a healthy server cannot be brought to do. Whether our requests are right S3 is proved
 * elsewhere, on a real one.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * `503 500 429 403 501`: that answer, nothing done. `reset`: the connection breaks, nothing done.
 * `lost`: done, and the connection breaks before the answer. `silent`: no answer, nothing done.
 * `late`: done, no answer. `cut`: half of a body, then the connection breaks.
 */
export type S3Fault = 503 | 500 | 429 | 403 | 501 | "reset" | "lost" | "silent" | "late" | "cut";

interface StoredObject {
  readonly bytes: Buffer;
  readonly crc32c: string | undefined;
}

export interface S3FaultServer {
  readonly endpoint: string;
  readonly objects: Map<string, StoredObject>;
  /** `PUT key`, `HEAD key`, … in the order in which they came. */
  readonly requests: string[];
  /** The faults of the next requests, in turn; `undefined` is good behaviour. */
  readonly faults: (S3Fault | undefined)[];
  /** Uploads in parts that were begun and not ended, by their ids. */
  readonly uploads: ReadonlyMap<string, object>;
  /** A fault by request, asked when `faults` is empty. */
  faultOf: (request: string) => S3Fault | undefined;
  close(): Promise<void>;
}

export async function startS3FaultServer(): Promise<S3FaultServer> {
  const objects = new Map<string, StoredObject>();
  const requests: string[] = [];
  const faults: (S3Fault | undefined)[] = [];
  const uploads = new Map<string, { crc32c: string | undefined; parts: Buffer[] }>();
  const server = createServer((request, response) => {
    void serve(request, response);
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", "http://localhost");
    const key = url.pathname.split("/").slice(2).join("/");
    const name = url.searchParams.has("delete") ? "POST delete" : `${request.method} ${key}`;
    requests.push(name);
    const fault = faults.length > 0 ? faults.shift() : self.faultOf(name);
    if (typeof fault === "number") return answerError(response, fault, `Fault${fault}`);
    if (fault === "reset") return void request.socket.destroy();
    if (fault === "silent") return;
    const done = act(request, url, key, Buffer.concat(chunks));
    if (fault === "lost") return void request.socket.destroy();
    if (fault === "late") return;
    response.writeHead(done.status, { "content-length": done.body.length, ...done.headers });
    if (fault !== "cut") return void response.end(request.method === "HEAD" ? "" : done.body);
    response.write(done.body.subarray(0, done.body.length / 2));
    setTimeout(() => request.socket.destroy(), 5);
  }

  function act(request: IncomingMessage, url: URL, key: string, body: Buffer): Answer {
    if (url.searchParams.has("delete")) return deleteMany(body);
    const found = objects.get(key);
    const uploadId = url.searchParams.get("uploadId");
    if (uploadId !== null || url.searchParams.has("uploads")) {
      return actOnUpload(request, {
        uploadId,
        key,
        body,
        part: url.searchParams.get("partNumber"),
      });
    }
    if (request.method === "PUT") {
      if (found !== undefined) return refusal(412, "PreconditionFailed");
      const crc32c = request.headers["x-amz-meta-crc32c"];
      objects.set(key, { bytes: body, crc32c: typeof crc32c === "string" ? crc32c : undefined });
      return { status: 200, body: Buffer.alloc(0), headers: {} };
    }
    if (request.method === "DELETE") {
      objects.delete(key);
      return { status: 204, body: Buffer.alloc(0), headers: {} };
    }
    if (found === undefined) return refusal(404, "NoSuchKey");
    const headers = found.crc32c === undefined ? {} : { "x-amz-meta-crc32c": found.crc32c };
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (range === null) return { status: 200, body: found.bytes, headers };
    const start = Number(range[1]);
    const part = found.bytes.subarray(start, Number(range[2]) + 1);
    if (part.length === 0) return refusal(416, "InvalidRange");
    const contentRange = `bytes ${start}-${start + part.length - 1}/${found.bytes.length}`;
    return { status: 206, body: part, headers: { ...headers, "content-range": contentRange } };
  }

  function actOnUpload(
    request: IncomingMessage,
    asked: { uploadId: string | null; key: string; body: Buffer; part: string | null },
  ): Answer {
    const { uploadId, key, body, part } = asked;
    if (uploadId === null) {
      const crc32c = request.headers["x-amz-meta-crc32c"];
      const id = `upload-${uploads.size}`;
      uploads.set(id, { crc32c: typeof crc32c === "string" ? crc32c : undefined, parts: [] });
      const answer = `<InitiateMultipartUploadResult><UploadId>${id}</UploadId>`;
      return xml(`${answer}</InitiateMultipartUploadResult>`);
    }
    const upload = uploads.get(uploadId);
    if (upload === undefined) return refusal(404, "NoSuchUpload");
    if (request.method === "PUT") {
      upload.parts[Number(part) - 1] = body;
      return { status: 200, body: Buffer.alloc(0), headers: { etag: `"${part}"` } };
    }
    uploads.delete(uploadId);
    if (request.method === "DELETE") return { status: 204, body: Buffer.alloc(0), headers: {} };
    const named = [...body.toString().matchAll(/<PartNumber>(\d+)</g)].map(([, each]) => each);
    const parts = named.map((each) => upload.parts[Number(each) - 1] ?? Buffer.alloc(0));
    objects.set(key, { bytes: Buffer.concat(parts), crc32c: upload.crc32c });
    return xml("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>");
  }

  function deleteMany(body: Buffer): Answer {
    for (const match of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)) {
      objects.delete(match[1] ?? "");
    }
    return { status: 200, body: Buffer.from("<DeleteResult></DeleteResult>"), headers: {} };
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const self: S3FaultServer = {
    endpoint: `http://127.0.0.1:${port}`,
    objects,
    requests,
    faults,
    uploads,
    faultOf: () => undefined,
    close: () => closeServer(server),
  };
  return self;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Record<string, string>;
}

function xml(text: string): Answer {
  const headers = { "content-type": "application/xml" };
  return { status: 200, body: Buffer.from(text), headers };
}

function refusal(status: number, code: string): Answer {
  const body = Buffer.from(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  return { status, body, headers: { "content-type": "application/xml" } };
}

function answerError(response: ServerResponse, status: number, code: string): void {
  const { body, headers } = refusal(status, code);
  response.writeHead(status, { "content-length": body.length, ...headers });
  response.end(body);
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
