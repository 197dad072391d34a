/**
 * The Worker's objects for many tests at once: each request says by `Test-Tenant` the port of a
 * libSQL server, with a number since ports are given away again, and meets objects, topics and queries that are that server's alone. One workerd
 * so runs hundreds of cases without a start for each.
 */
import type { DurableObjectState } from "cloudflare:workers";
import type { Bindings, LogObjects, QueryObjects } from "../../../src/runtime/workerd/bindings.ts";
import * as deployed from "../../../src/runtime/workerd/main.ts";

type State = Omit<DurableObjectState, "id"> & {
  readonly id: { readonly name: string };
  abort(reason: string): void;
};

interface Ended {
  abort(): Promise<void>;
}

/** Objects of all tenants that are awake, to be ended with their tenant. */
const awake = new Set<string>();

/** The bindings as the tenant of an object's name has them. */
function bindingsOf(kind: string, { id }: State, bindings: Bindings): Bindings {
  awake.add(`${kind} ${id.name}`);
  const tenant = id.name.slice(0, id.name.indexOf("/"));
  const within = <T extends LogObjects | QueryObjects>(objects: T): T =>
    ({
      getByName: (name: string) => objects.getByName(`${tenant}/${name}`),
      idFromName: (name: string) => bindings.LOG.idFromName(`${tenant}/${name}`),
    }) as unknown as T;
  return {
    ...bindings,
    LOG: within(bindings.LOG),
    GROUPS: within(bindings.GROUPS),
    QUERIES: within(bindings.QUERIES),
    MILLRACE_METADATA: `http://127.0.0.1:${tenant.split("-")[0]}`,
    MILLRACE_STORE_PREFIX: `tenant-${tenant}`,
  };
}

export class LogObject extends deployed.LogObject {
  readonly #state: State;

  constructor(state: State, bindings: Bindings) {
    super(state as unknown as DurableObjectState, bindingsOf("LOG", state, bindings));
    this.#state = state;
  }

  async abort(): Promise<void> {
    this.#state.abort("its tenant has left");
  }
}

export class GroupObject extends deployed.GroupObject {
  constructor(state: State, bindings: Bindings) {
    super(state as unknown as DurableObjectState, bindingsOf("GROUPS", state, bindings));
  }
}

export class QueryObject extends deployed.QueryObject {
  readonly #state: State;

  constructor(state: State, bindings: Bindings) {
    super(state as unknown as DurableObjectState, bindingsOf("QUERIES", state, bindings));
    this.#state = state;
  }

  async abort(): Promise<void> {
    this.#state.abort("its tenant has left");
  }
}

async function end(tenant: string, bindings: Bindings): Promise<void> {
  for (const each of awake) {
    const [kind, name = ""] = each.split(" ");
    if (!name.startsWith(`${tenant}/`)) continue;
    awake.delete(each);
    const objects = kind === "LOG" ? bindings.LOG : bindings.QUERIES;
    const object = objects.getByName(name) as unknown as Ended;
    await object.abort().catch(() => undefined);
  }
}

export default {
  async fetch(request: Request, bindings: Bindings): Promise<Response> {
    const tenant = request.headers.get("Test-Tenant") ?? "";
    if (new URL(request.url).pathname === "/test/leave") {
      await end(tenant, bindings);
      return new Response("left");
    }
    return await bindings.LOG.getByName(`${tenant}/0`).fetch(request);
  },
};
