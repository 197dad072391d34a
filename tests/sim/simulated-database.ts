/**
 * The metadata database of a run: libSQL in memory, whose clock is the virtual one. For runs with
 * power losses it keeps a journal of its transactions, from which it can be rebuilt without the
 * last ones.
 */
import type { SqlResult, SqlStatement } from "../../src/meta/sql-database.ts";
import { databaseNow } from "../../src/meta/sql-values.ts";
import { LibsqlConnection } from "../../src/runtime/node/libsql-connection.ts";
import type { World } from "./world.ts";

const simulatedNow = "(SELECT now_ms FROM temp.simulated_clock)";
const setClock = "UPDATE temp.simulated_clock SET now_ms = ?1";
const makeClock = [
  { sql: "CREATE TEMP TABLE simulated_clock (now_ms INTEGER NOT NULL)", args: [] },
  { sql: "INSERT INTO simulated_clock (now_ms) VALUES (0)", args: [] },
];

interface Transaction {
  readonly statements: readonly SqlStatement[];
  readonly nowMs: number;
}

export class SimulatedDatabase {
  readonly #world: World;
  readonly #texts = new Map<string, { readonly sql: string; readonly usesClock: boolean }>();
  readonly #journal: Transaction[] | undefined;
  readonly #onWrite: (() => void) | undefined;
  #connection: LibsqlConnection;

  /** `onWrite` is called after each write, before anybody hears of it. */
  constructor(
    world: World,
    options: { readonly journaled: boolean; readonly onWrite?: (() => void) | undefined },
  ) {
    this.#world = world;
    this.#onWrite = options.onWrite;
    this.#journal = options.journaled ? [] : undefined;
    this.#connection = openConnection();
  }

  /** As SqlDatabase.batch, at once. */
  execute(statements: readonly SqlStatement[], mode: "read" | "write"): SqlResult[] {
    const nowMs = Math.floor(this.#world.time.clock.now() + this.#world.databaseSkewMs);
    const results = this.#run({ statements, nowMs }, mode);
    if (mode === "write") {
      this.#journal?.push({ statements, nowMs });
      this.#onWrite?.();
    }
    return results;
  }

  /** The last `lostCount` transactions never reached the disk. */
  losePower(lostCount: number): void {
    const journal = this.#journal;
    if (journal === undefined) throw new Error("a database without a journal loses nothing");
    if (lostCount === 0) return;
    journal.length = Math.max(0, journal.length - lostCount);
    this.#connection.close();
    this.#connection = openConnection();
    for (const transaction of journal) this.#run(transaction, "write");
  }

  get transactionCount(): number {
    return this.#journal?.length ?? 0;
  }

  close(): void {
    this.#connection.close();
  }

  #run({ statements, nowMs }: Transaction, mode: "read" | "write"): SqlResult[] {
    let usesClock = false;
    const timed = statements.map(({ sql, args }) => {
      const text = this.#text(sql);
      usesClock ||= text.usesClock;
      return { sql: text.sql, args };
    });
    if (!usesClock) return this.#connection.batch(timed, mode);
    return this.#connection.batch([{ sql: setClock, args: [nowMs] }, ...timed], mode).slice(1);
  }

  #text(sql: string) {
    let text = this.#texts.get(sql);
    if (text === undefined) {
      const replaced = sql.replaceAll(databaseNow, simulatedNow);
      if (/unixepoch|julianday|'now'|CURRENT_/.test(replaced)) {
        throw new Error(`A statement reads the real clock: ${sql}`);
      }
      text = { sql: replaced, usesClock: replaced !== sql };
      this.#texts.set(sql, text);
    }
    return text;
  }
}

function openConnection(): LibsqlConnection {
  const connection = new LibsqlConnection({ path: ":memory:", fsync: false });
  connection.batch(makeClock, "write");
  return connection;
}
