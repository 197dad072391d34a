/**
 * The Worker in the middle of a rollout: two versions of it run in one workerd, each an instance of
 * this file in a bundle of its own, and TEST_NEXT (a regular expression) says which objects have the
 * next version by now. Fronts and objects of both call each other.
 */
import type { DurableObjectState } from "cloudflare:workers";
import type { Bindings, LogObjects, QueryObjects } from "../../../src/runtime/workerd/bindings.ts";
import * as deployed from "../../../src/runtime/workerd/main.ts";

interface Versions extends Bindings {
  readonly TEST_NEXT: string;
  readonly OLD_LOG: LogObjects;
  readonly OLD_GROUPS: LogObjects;
  readonly OLD_QUERIES: QueryObjects;
  readonly NEXT_LOG: LogObjects;
  readonly NEXT_GROUPS: LogObjects;
  readonly NEXT_QUERIES: QueryObjects;
}

type State = DurableObjectState & { readonly id: { readonly name: string } };

function bindingsOf(bindings: Versions): Bindings {
  const isNext = new RegExp(bindings.TEST_NEXT);
  const either = <T extends LogObjects | QueryObjects>(old: T, next: T): T => {
    const getByName = (name: string) => (isNext.test(name) ? next : old).getByName(name);
    const idFromName = (name: string) => ({ toString: () => `log ${name}` });
    return { getByName, idFromName } as unknown as T;
  };
  return {
    ...bindings,
    LOG: either(bindings.OLD_LOG, bindings.NEXT_LOG) as Bindings["LOG"],
    GROUPS: either(bindings.OLD_GROUPS, bindings.NEXT_GROUPS),
    QUERIES: either(bindings.OLD_QUERIES, bindings.NEXT_QUERIES),
  };
}

/** On Cloudflare an object keeps its id over versions; here each version has a class of its own. */
function posed(kind: string, state: State): State {
  const id = { name: state.id.name, toString: () => `${kind} ${id.name}` };
  return Object.defineProperty(state, "id", { value: id });
}

export class LogObject extends deployed.LogObject {
  constructor(state: State, bindings: Versions) {
    super(posed("log", state), bindingsOf(bindings));
  }
}

export class GroupObject extends deployed.GroupObject {
  constructor(state: State, bindings: Versions) {
    super(posed("group", state), bindingsOf(bindings));
  }
}

export class QueryObject extends deployed.QueryObject {
  constructor(state: State, bindings: Versions) {
    super(posed("query", state), bindingsOf(bindings));
  }
}

const known = new WeakMap<Versions, Bindings>();

export default {
  async fetch(
    request: Request,
    given: Versions,
    context: { waitUntil(work: Promise<unknown>): void },
  ): Promise<Response> {
    const bindings = known.get(given) ?? bindingsOf(given);
    known.set(given, bindings);
    return await deployed.default.fetch(request, bindings, context);
  },
};
