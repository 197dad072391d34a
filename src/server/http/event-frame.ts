/** Events of a topic as an event stream has them. */
import { eventStreamMediaType } from "../../wire/http/media-type.ts";
import type { TopicEvent } from "./topic-stream.ts";

/** What a client waits before it comes again. */
const retryMs = 1_000;

/** Nothing on the way may keep or hold back what the stream says. */
export const eventStreamHeaders: Readonly<Record<string, string>> = {
  "Content-Type": eventStreamMediaType,
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
  "X-Content-Type-Options": "nosniff",
};

/** Shows proxies and clients that the stream lives. */
export const silenceFrame = ":\n\n";

export function eventFrame({ kind, cursor, data }: TopicEvent): string {
  switch (kind) {
    case "begin":
      return `retry: ${retryMs}\nid: ${cursor}\n\n`;
    case "record":
      return `id: ${cursor}\ndata: ${data}\n\n`;
    case "gap":
      return `id: ${cursor}\nevent: gap\ndata: ${data}\n\n`;
    case "problem":
      return `event: problem\ndata: ${data}\n\n`;
    case "silence":
      return silenceFrame;
  }
}
