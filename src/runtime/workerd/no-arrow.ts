/**
 * Stands in the Worker's bundle for arrow/ipc-stream.ts: apache-arrow is a fifth of what the bundle
 * may weigh, for one form of answer (ADR 21).
 */
import { StreamError } from "../../base/stream-error.ts";

export class IpcStream {
  constructor() {
    throw new StreamError(
      "sql_unsupported",
      "Cannot answer as Arrow from a Cloudflare Worker: ask for application/x-ndjson, or ask a " +
        "worker that shares its metadata",
    );
  }
}
