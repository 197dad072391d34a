/** What deploy/cloudflare/wrangler.jsonc binds to the Worker and its objects. */
import type { ErrorCode, StreamError } from "../../base/stream-error.ts";
import type { GroupService } from "../../group/group-service.ts";
import type { R2Bucket } from "../../store/r2-store.ts";

export interface Bindings {
  /** Where segments lie. */
  readonly BUCKET: R2Bucket;
  /** What appends and reads. */
  readonly LOG: LogObjects;
  /** Coordinators, one per consumer group. */
  readonly GROUPS: LogObjects;
  /** Variables and secrets; settings.ts says which. */
  readonly [variable: `MILLRACE_${string}`]: string | undefined;
}

/** Durable Objects by name. */
export interface LogObjects {
  getByName(name: string): {
    fetch(request: Request): Promise<Response>;
    callGroup(call: GroupCall): Promise<GroupAnswer>;
    maintain(options: { readonly collectsOrphans: boolean }): Promise<void>;
  };
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
