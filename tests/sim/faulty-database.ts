/**
 * One process's link to the metadata database. Requests and answers take time; a batch may never
 * arrive, be carried out without an answer, or arrive twice. The caller cannot tell which.
 */
import { StreamError } from "../../src/base/stream-error.ts";
import type { SqlDatabase, SqlResult, SqlStatement } from "../../src/meta/sql-database.ts";
import type { Dice } from "./dice.ts";
import type { ProcessGate } from "./process-gate.ts";
import type { SimulatedDatabase } from "./simulated-database.ts";
import type { World } from "./world.ts";

export interface DatabaseLink {
  readonly world: World;
  readonly gate: ProcessGate;
  readonly dice: Dice;
  readonly database: SimulatedDatabase;
  /** Milliseconds of each leg. */
  readonly legMsMax: number;
  /** An embedded file: nothing can be lost on the way or come twice. */
  readonly embedded: boolean;
}

/** How long a client of the database waits for an answer. */
const timeoutMs = 300;

export class FaultyDatabase implements SqlDatabase {
  readonly description = "simulated libSQL";
  readonly #link: DatabaseLink;

  constructor(link: DatabaseLink) {
    this.#link = link;
  }

  batch(statements: readonly SqlStatement[], mode: "read" | "write"): Promise<SqlResult[]> {
    const { world, gate, dice, embedded } = this.#link;
    const { faults } = world;
    const thereMs = this.#legMs();
    const backMs = this.#legMs();
    const requestLost = dice.chance(faults.databaseRequestLost);
    const replyLost = dice.chance(faults.databaseReplyLost) && !embedded;
    const repeated = dice.chance(faults.databaseRepeated) && !embedded && mode === "write";
    if (requestLost) {
      return gate.ask({ thereMs, backMs: embedded ? 0 : timeoutMs }, () => {
        world.note(`${gate.name} database request lost`);
        throw unavailable();
      });
    }
    if (repeated) {
      world.after(thereMs + dice.between(0, 200), () => this.#carryOut(statements, mode, "again"));
    }
    return gate.ask({ thereMs, backMs: replyLost ? timeoutMs : backMs }, () => {
      const results = this.#carryOut(statements, mode, replyLost ? "answer lost" : "");
      if (replyLost) throw unavailable();
      return results;
    });
  }

  async close(): Promise<void> {}

  #carryOut(statements: readonly SqlStatement[], mode: "read" | "write", how: string) {
    const { world, gate, database } = this.#link;
    const results = database.execute(statements, mode);
    if (mode === "write") world.note(`${gate.name} ${digest(statements)} ${how}`);
    return results;
  }

  #legMs(): number {
    const { dice, legMsMax, world } = this.#link;
    const legMs = dice.random.uniform() * legMsMax;
    return dice.chance(world.faults.slow) ? legMs * dice.between(2, 100) : legMs;
  }
}

function unavailable(): StreamError {
  return new StreamError("metadata_unavailable", "The simulated database did not answer");
}

/** Says which batch it was, and all its arguments, in a line. */
function digest(statements: readonly SqlStatement[]): string {
  const [first] = statements;
  const args = statements.map((statement) => statement.args.map(short).join(",")).join(";");
  return `sql×${statements.length} ${first?.sql.slice(0, 40).replaceAll(/\s+/g, " ")} [${args}]`;
}

function short(value: unknown): string {
  return value instanceof Uint8Array ? value.toHex() : String(value);
}
