/** The tables of views in this thread: what their worker thread runs, and tests directly. */
import { present } from "../base/assert.ts";
import type { Platform } from "../base/platform.ts";
import { batchesIn } from "../record/batch.ts";
import type { SqlModules } from "../sql/sqlite/modules.ts";
import type { ViewHost, ViewReply, ViewRequest } from "./view-protocol.ts";
import { ViewTable } from "./view-table.ts";

export interface LocalViewsParts {
  readonly platform: Platform;
  readonly modules: SqlModules;
}

export class LocalViews implements ViewHost {
  readonly #parts: LocalViewsParts;
  readonly #tables = new Map<number, ViewTable>();
  hasEnded = false;

  constructor(parts: LocalViewsParts) {
    this.#parts = parts;
  }

  async send(request: ViewRequest): Promise<ViewReply> {
    return this.answer(request);
  }

  /** @throws StreamError */
  answer(request: ViewRequest): ViewReply {
    if (request.kind === "open") {
      this.#tables.set(request.view, new ViewTable(this.#parts, request.setup));
    }
    const table = present(this.#tables.get(request.view), "the view is open");
    switch (request.kind) {
      case "apply": {
        const batches = request.chunks.flatMap((chunk) =>
          [...batchesIn(chunk)].map(({ bytes }) => bytes),
        );
        table.apply(batches, request.nextOffset);
        break;
      }
      case "read": {
        const rows = table.read(request.statement, request.pageBytes);
        return { state: table.state, rows };
      }
      case "next": {
        const rows = table.next(request.read);
        return { state: table.state, rows };
      }
      case "leave":
        table.leave(request.read);
        break;
      case "follow":
        if (request.isFollowed) table.keepChanges();
        else table.dropChanges();
        break;
      case "close":
        this.#tables.delete(request.view);
        break;
    }
    return { state: table.state, rows: null };
  }

  close(): void {
    this.hasEnded = true;
    this.#tables.clear();
  }
}
