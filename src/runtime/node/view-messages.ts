/** What a worker's event loop and the thread of its views say to each other, by number. */
import type { ViewReply, ViewRequest } from "../../pipeline/view-protocol.ts";
import type { ThreadError } from "./libsql-thread.ts";

export interface ViewMessage {
  readonly id: number;
  readonly request: ViewRequest;
}

export interface ViewAnswer {
  readonly id: number;
  /** Null when the request failed. */
  readonly reply: ViewReply | null;
  readonly error: ThreadError | null;
}
