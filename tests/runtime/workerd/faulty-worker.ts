/**
 * The Worker as it is deployed, with what goes wrong on Cloudflare at a test's wish: a bucket that
 * throws, calls that are lost, objects that are ended in the middle, and an object that was replaced
 * and does not know.
 *
 * POST /test/faults sets the faults; /test/rings tells how often each query's object was called since
 * it was asked last; /test/steps tells of steps since it was asked last; POST /test/abort ends the first shard, `?shard=…` another,
 * `?twin` the twin and `?query=…` the query's object; GET /test/scratch?query=… tells how many rows of scratch
 * space that one has, GET /test/sockets how many WebSockets workerd keeps of the first shard; a request with
 * `Test-Activation: twin` meets another object that takes itself for the first shard, one with
 * `Test-Activation: peer` an object that publishes without a word to the others.
 */
import type { DurableObjectState } from "cloudflare:workers";
import type { Bindings, LogObjects, QueryObjects } from "../../../src/runtime/workerd/bindings.ts";
import * as deployed from "../../../src/runtime/workerd/main.ts";
import { ObjectPace } from "../../../src/runtime/workerd/object-pace.ts";
import type { R2Bucket } from "../../../src/store/r2-store.ts";

export interface Faults {
  /** Shares of the puts that throw without and after having stored, and of the reads that throw. */
  readonly putBefore: number;
  readonly putAfter: number;
  readonly get: number;
  /** Share of the calls of queries' objects that are lost though they seem to have been made. */
  readonly ring: number;
}

interface Ended {
  abort(): Promise<void>;
  keptSockets(): Promise<number>;
}

interface Spilling {
  scratchRows(): Promise<number>;
}

type Named = LogObjects & QueryObjects & { idFromName(name: string): { toString(): string } };

interface TestBindings extends Omit<Bindings, "LOG" | "QUERIES"> {
  readonly LOG: Named;
  readonly QUERIES: Named;
  readonly TWINS: Named;
}

type State = DurableObjectState & { abort(reason: string): void };

const none: Faults = { putBefore: 0, putAfter: 0, get: 0, ring: 0 };
let faults = none;
let thrown = 0;

/** Calls of queries' objects, by the query's id. */
let rings: Record<string, number> = {};

/** Steps of queries, and most of them in a row within one event of an object. */
const steps = { total: 0, most: 0, events: 0 };

/** Counts the steps that an object's events let its query take. */
function countSteps(): void {
  const { step, renew } = ObjectPace.prototype;
  const counts = new WeakMap<ObjectPace, number>();
  ObjectPace.prototype.renew = function () {
    steps.events += 1;
    counts.set(this, 0);
    return renew.call(this);
  };
  ObjectPace.prototype.step = function <T>(work: () => Promise<T>, bytes: number) {
    const count = (counts.get(this) ?? 0) + 1;
    counts.set(this, count);
    steps.total += 1;
    steps.most = Math.max(steps.most, count);
    return step.call(this, work, bytes) as Promise<T>;
  };
}
countSteps();

/** All objects of a test's workerd and the Worker in front share this module. */
function faulty(bucket: R2Bucket): R2Bucket {
  const mayThrow = (share: number, act: string) => {
    if (Math.random() >= share) return;
    thrown += 1;
    throw new Error(`${act}: We encountered an internal error. Please try again. (10001)`);
  };
  return {
    head: async (key) => {
      mayThrow(faults.get, "head");
      return await bucket.head(key);
    },
    get: async (key, options) => {
      mayThrow(faults.get, "get");
      return await bucket.get(key, options);
    },
    put: async (key, value, options) => {
      mayThrow(faults.putBefore, "put");
      const made = await bucket.put(key, value, options);
      mayThrow(faults.putAfter, "put");
      return made;
    },
    delete: (keys) => bucket.delete(keys),
    list: (options) => bucket.list(options),
  };
}

const withFaults = (bindings: TestBindings): TestBindings => ({
  ...bindings,
  BUCKET: faulty(bindings.BUCKET),
  QUERIES: Object.create(bindings.QUERIES, {
    getByName: {
      value: (name: string) => ({
        async run(queryId: string) {
          rings[name] = (rings[name] ?? 0) + 1;
          if (Math.random() < faults.ring) return;
          await (bindings.QUERIES as QueryObjects).getByName(name).run(queryId);
        },
      }),
    },
  }),
});

export class GroupObject extends deployed.GroupObject {
  constructor(state: State, bindings: TestBindings) {
    super(state, withFaults(bindings));
  }
}

export class LogObject extends deployed.LogObject {
  readonly #state: State;

  constructor(state: State, bindings: TestBindings) {
    super(state, withFaults(bindings));
    this.#state = state;
  }

  async abort(): Promise<void> {
    this.#state.abort("evicted by the test");
  }

  async keptSockets(): Promise<number> {
    return this.#state.getWebSockets().length;
  }
}

export class QueryObject extends deployed.QueryObject {
  readonly #state: State;

  constructor(state: State, bindings: TestBindings) {
    super(state, withFaults(bindings));
    this.#state = state;
  }

  async abort(): Promise<void> {
    this.#state.abort("evicted by the test");
  }

  async scratchRows(): Promise<number> {
    const { sql } = this.#state.storage;
    const tables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'scratch'").toArray();
    if (tables.length === 0) return 0;
    const [counted] = sql.exec("SELECT count(*) AS n FROM scratch").toArray();
    return Number(counted?.["n"]);
  }
}

/** Believes that it is the first shard, as does the object that is. */
export class TwinObject extends LogObject {
  constructor(state: State, bindings: TestBindings) {
    Object.defineProperty(state, "id", { value: bindings.LOG.idFromName("0") });
    super(state, bindings);
  }
}

export default {
  async fetch(
    request: Request,
    bindings: TestBindings,
    context: { waitUntil(work: Promise<unknown>): void },
  ): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/test/faults") {
      faults = { ...none, ...((await request.json()) as Partial<Faults>) };
      const before = thrown;
      thrown = 0;
      return Response.json({ thrown: before });
    }
    if (pathname === "/test/sockets") {
      const first = bindings.LOG.getByName("0") as unknown as Ended;
      return Response.json(await first.keptSockets());
    }
    if (pathname === "/test/rings") {
      const since = rings;
      rings = {};
      return Response.json(since);
    }
    if (pathname === "/test/steps") {
      const taken = { ...steps };
      Object.assign(steps, { total: 0, most: 0, events: 0 });
      return Response.json(taken);
    }
    if (pathname === "/test/abort") {
      const query = searchParams.get("query");
      const log = searchParams.has("twin") ? bindings.TWINS : bindings.LOG;
      const shard = searchParams.get("shard") ?? "0";
      const object = query === null ? log.getByName(shard) : bindings.QUERIES.getByName(query);
      await (object as unknown as Ended).abort().catch(() => undefined);
      return new Response("ended");
    }
    if (pathname === "/test/scratch") {
      const object = bindings.QUERIES.getByName(searchParams.get("query") ?? "");
      return Response.json(await (object as unknown as Spilling).scratchRows());
    }
    if (request.headers.get("Test-Activation") === "twin") {
      const answer = bindings.TWINS.getByName("0").fetch(request);
      return await answer.catch(() => new Response("it was ended", { status: 503 }));
    }
    if (request.headers.get("Test-Activation") === "peer") {
      return await bindings.LOG.getByName("a peer").fetch(request);
    }
    return await deployed.default.fetch(request, bindings, context);
  },
};
