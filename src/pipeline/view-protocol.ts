/**
 * What a worker and the thread of its views say to each other. Every message is plain data, bytes
 * are given away with it, and requests are answered in their order, so that a read shows what was
 * applied before it. One thread serves all views; each has a memory of its own, which ends with it.
 */
import type { ViewRows, ViewSetup, ViewState, ViewStatement } from "./view-table.ts";

export type ViewRequest =
  | { readonly kind: "open"; readonly view: number; readonly setup: ViewSetup }
  | {
      readonly kind: "apply";
      readonly view: number;
      /** Whole record batches in order; those of a chunk lie end to end. */
      readonly chunks: readonly Uint8Array[];
      readonly nextOffset: number;
    }
  | {
      readonly kind: "read";
      readonly view: number;
      readonly statement: ViewStatement;
      /** Where to stop for a while: others are served before `next` asks for more. */
      readonly pageBytes?: number;
    }
  /** The next page of a read that is not at its end. */
  | { readonly kind: "next"; readonly view: number; readonly read: number }
  /** Nobody wants the rest of a read. */
  | { readonly kind: "leave"; readonly view: number; readonly read: number }
  /** Whether what changes is kept from now on. */
  | { readonly kind: "follow"; readonly view: number; readonly isFollowed: boolean }
  | { readonly kind: "close"; readonly view: number };

export interface ViewReply {
  readonly state: ViewState;
  /** Of a read; null from `next`: the table has changed since the last page, so begin again. */
  readonly rows: ViewRows | null;
}

export interface ViewHost {
  /** @throws StreamError what the request failed with; after a failed `apply` close the view. */
  send(request: ViewRequest): Promise<ViewReply>;
  /** It was closed, or its thread failed: every view in it is gone. */
  readonly hasEnded: boolean;
  close(): void;
}

export type StartViews = () => Promise<ViewHost>;
