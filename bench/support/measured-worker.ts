/**
 * The Worker as it is deployed, which also tells how much WebAssembly memory its isolate has: the
 * inspector's figures of the heap leave it out. `GET /measured/memory` answers their bytes as JSON.
 */
const memories: WeakRef<WebAssembly.Memory>[] = [];

function keep(memory: WebAssembly.Memory): void {
  if (!memories.some((each) => each.deref() === memory)) memories.push(new WeakRef(memory));
}

const { Memory, Instance } = WebAssembly;
WebAssembly.Memory = new Proxy(Memory, {
  construct(made, given) {
    const memory: WebAssembly.Memory = Reflect.construct(made, given);
    keep(memory);
    return memory;
  },
});
WebAssembly.Instance = new Proxy(Instance, {
  construct(made, given) {
    const instance: WebAssembly.Instance = Reflect.construct(made, given);
    for (const each of Object.values(instance.exports)) if (each instanceof Memory) keep(each);
    return instance;
  },
});

import type { Bindings } from "../../src/runtime/workerd/bindings.ts";
import * as deployed from "../../src/runtime/workerd/main.ts";

// biome-ignore lint/performance/noBarrelFile: workerd finds the classes of objects by these exports.
export * from "../../src/runtime/workerd/main.ts";

type Context = Parameters<typeof deployed.default.fetch>[2];

export default {
  ...deployed.default,
  async fetch(request: Request, bindings: Bindings, context: Context): Promise<Response> {
    if (new URL(request.url).pathname !== "/measured/memory") {
      return await deployed.default.fetch(request, bindings, context);
    }
    return Response.json(memories.map((each) => each.deref()?.buffer.byteLength ?? 0));
  },
};
