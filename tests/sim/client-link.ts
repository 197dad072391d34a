/**
 * A client's connection to a worker: requests arrive in the order in which they were sent, answers
 * take their time, may be lost, and stop coming when the worker dies. A client waits so long and no
 * longer; the worker may still be at work then.
 */
import type { Log } from "../../src/log/log.ts";
import type { Dice } from "./dice.ts";
import type { SimulatedWorker } from "./simulated-worker.ts";
import type { World } from "./world.ts";

/** The client does not know what became of its request. */
class NoAnswer extends Error {}

const legMsMax = 3;

export class ClientLink {
  readonly worker: SimulatedWorker;
  readonly #world: World;
  readonly #dice: Dice;
  #arrivesAt = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(world: World, dice: Dice, worker: SimulatedWorker) {
    this.#world = world;
    this.#dice = dice;
    this.worker = worker;
  }

  /** Has `act` done by the worker. Errors: the log's, or NoAnswer. */
  call<T>(act: (log: Log) => Promise<T>, timeoutMs = 1500): Promise<T> {
    const world = this.#world;
    const answerLost = this.#dice.chance(world.faults.clientReplyLost);
    this.#arrivesAt = Math.max(this.#arrivesAt, world.now + this.#legMs());
    return new Promise<T>((resolve, reject) => {
      const limit = world.after(timeoutMs, () => reject(new NoAnswer("timeout")));
      const answer = (settle: () => void) => {
        if (answerLost) return;
        world.after(this.#legMs(), () => {
          limit.cancel();
          settle();
        });
      };
      world.after(this.#arrivesAt - world.now, () => {
        const { gate, log } = this.worker;
        if (gate === undefined || log === undefined) {
          answer(() => reject(new NoAnswer("connection refused")));
          return;
        }
        gate.enter(() => {
          act(log).then(
            (result) => answer(() => resolve(result)),
            (error: unknown) => answer(() => reject(error)),
          );
        });
      });
    });
  }

  /**
   * For use inside of `act`: what a server does before it takes the next request of a connection.
   * The appends of one connection are submitted in the order of their requests; one that cannot be
   * submitted closes the connection.
   */
  inOrder<T>(submit: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(submit);
    this.#turn = turn;
    turn.catch(() => {});
    return turn;
  }

  #legMs(): number {
    return this.#dice.random.uniform() * legMsMax;
  }
}
