/**
 * A Worker of a user's own, which reaches Millrace through a service binding:
 * tests/runtime/client-binding.test.ts bundles and asks it.
 */
import type { Fetcher } from "../../../src/client/build/client.js";
import { connect, consume, indexedDbQueue, producer } from "../../../src/client/build/client.js";
import { rowsOf, view } from "../../../src/client/build/sql-entry.js";

interface Bindings {
  readonly MILLRACE: Fetcher;
  readonly TOKEN: string;
}

interface Order {
  readonly total: number;
}

export default {
  async fetch(_: Request, { MILLRACE, TOKEN }: Bindings): Promise<Response> {
    const millrace = connect<{ orders: Order }>(MILLRACE, { token: TOKEN });
    const orders = producer(millrace, "orders");
    const totals = [5, 7, 11];
    const sent = await Promise.all(totals.map((total) => orders.send({ total })));
    const consumed: number[] = [];
    for await (const { value } of consume(millrace, "orders", { from: "earliest" })) {
      consumed.push(value.total);
      if (consumed.length === totals.length) break;
    }
    const rows = await rowsOf(millrace, "SELECT SUM(total) AS total FROM orders");
    let change: unknown;
    for await (const each of view(millrace, "sums")) {
      if (each.change === "reset" || each.row["total"] !== 23) continue;
      change = each.row;
      break;
    }
    const refused = await consume(connect(MILLRACE), "orders")
      .next()
      .catch((error: { code: string }) => error.code);
    return Response.json({ sent, consumed, rows, change, refused, queue: queueProblem() });
  },
};

function queueProblem(): string {
  try {
    indexedDbQueue();
    return "none";
  } catch (error) {
    return (error as { code: string }).code;
  }
}
