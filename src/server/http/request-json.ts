/** Receives a small JSON body and checks it by its shape. */
import type { Context } from "hono";
import type * as z from "zod";
import { StreamError } from "../../base/stream-error.ts";
import { essence, jsonMediaType } from "../../wire/http/media-type.ts";
import { emptyQuery } from "../../wire/http/queries.ts";
import { checkQuery, checkShape } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import { receiveBody } from "./request-body.ts";

/** Bodies other than records: a topic's settings, a group's offsets in a thousand partitions. */
const jsonBytesMax = 1024 * 1024;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** @throws StreamError as receiveBody, `unsupported_media_type`, `invalid_request`. */
export async function receiveJson<S extends z.ZodType>(
  shape: S,
  c: Context,
  context: HttpContext,
  bytesMax = jsonBytesMax,
): Promise<z.output<S>> {
  const request = c.req.raw;
  checkQuery(emptyQuery, request.url);
  if (essence(request.headers.get("Content-Type") ?? "") !== jsonMediaType) {
    throw new StreamError("unsupported_media_type", "Cannot take the body: send application/json", {
      details: { field: "Content-Type", expected: jsonMediaType },
    });
  }
  const body = await receiveBody(request, {
    budget: context.bodyBudget,
    bytesMax: Math.min(bytesMax, context.settings.requestBytesMax),
    codecs: context.platform.codecs,
  });
  try {
    return checkShape(shape, parse(body.bytes), "body");
  } finally {
    body.release();
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new StreamError("invalid_request", "Cannot read the body: it is not JSON", {
      details: { field: "body", expected: "JSON in UTF-8" },
      cause,
    });
  }
}
