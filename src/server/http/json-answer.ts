/** JSON documents as answers. A line break ends each: what `curl` prints is a line of its own. */
import type { Context } from "hono";
import { jsonMediaType } from "../../wire/http/media-type.ts";

export function jsonAnswer(c: Context, value: unknown, status: 200 | 201 | 503 = 200): Response {
  c.header("Content-Type", jsonMediaType);
  return c.body(`${JSON.stringify(value)}\n`, status);
}
