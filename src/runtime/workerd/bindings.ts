/** What deploy/cloudflare/wrangler.jsonc binds to the Worker and its objects. */
import type { ErrorCode, StreamError } from "../../base/stream-error.ts";
import type { GroupService } from "../../group/group-service.ts";
import type { R2Bucket } from "../../store/r2-store.ts";

export interface Bindings {
  /** Where segments lie. */
  readonly BUCKET: R2Bucket;
  /** What appends and reads. */
  readonly LOG: ShardObjects;
  /** Coordinators, one per consumer group. */
  readonly GROUPS: LogObjects;
  /** What runs continuous queries, one object each. */
  readonly QUERIES: QueryObjects;
  /** Variables and secrets; settings.ts says which. */
  readonly [variable: `MILLRACE_${string}`]: string | undefined;
}

/** Durable Objects by name. */
export interface LogObjects {
  getByName(name: string): {
    fetch(request: Request): Promise<Response>;
    /**
     * Others have published: whoever waits here looks. `from`: the shard that has, which need not
     * be told. `topics`: the numbers of those that it has published to; older versions neither say
     * nor see it. Answers whether anybody may wait here; older versions say nothing.
     */
    hear(from?: string, topics?: readonly number[]): Promise<boolean | undefined>;
    /** Of the first shard: the shard of that name wants to hear of all that is published. */
    listen(name: string): Promise<void>;
    /** Of the first shard: the group's object wants to hear of publishes to these topics. */
    listenForGroup(groupId: string, topics: readonly number[]): Promise<void>;
    callGroup(call: GroupCall): Promise<GroupAnswer>;
    maintain(options: { readonly collectsOrphans: boolean }): Promise<void>;
    /**
     * JSON of AppendAsked[] and their bodies, one behind the other; answers AppendAnswer[], and
     * behind them a LoadSaid, which older versions neither send nor see.
     */
    appendAll(asked: string, bodies: Uint8Array): Promise<string>;
  };
}

/** Log objects, whose names are numbers. */
export interface ShardObjects extends LogObjects {
  idFromName(name: string): { toString(): string };
}

/** Objects that run a query, by its id. */
export interface QueryObjects {
  getByName(queryId: string): {
    /** Has it run the query from now on, and look at what was published. */
    run(queryId: string): Promise<void>;
  };
}

/** A request to append, which goes to its object together with others. */
export interface AppendAsked {
  readonly url: string;
  /** Those that matter to an append. */
  readonly headers: readonly [string, string][];
  /** Length of its body. */
  readonly bytes: number;
}

/** How full the object is: ObjectLoad. */
export interface LoadSaid {
  readonly percent: number;
}

export interface AppendAnswer {
  readonly status: number;
  readonly headers: readonly [string, string][];
  readonly text: string;
}
/** What log objects ask of the objects that coordinate groups; group-calls.ts. */
export type GroupMethod = keyof GroupService;

export interface GroupCall {
  readonly method: GroupMethod;
  readonly argument: unknown;
}

export type GroupAnswer =
  | { readonly value: unknown }
  | {
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: StreamError["details"];
    };
