/** What the clients of a run have in common. */

import type { History } from "./checkers/history.ts";
import { ClientLink } from "./client-link.ts";
import type { Dice } from "./dice.ts";
import type { SimulatedWorker } from "./simulated-worker.ts";
import type { World } from "./world.ts";

export interface RunContext {
  readonly world: World;
  readonly history: History;
  readonly workers: readonly SimulatedWorker[];
  readonly topics: readonly string[];
  /** Milliseconds of virtual time until which clients begin new work. */
  readonly activeUntil: number;
  /** Raised by a power loss: clients of an earlier generation have ended with it. */
  generation: number;
  /** Each by itself, while clients go on: what was acknowledged last may be cut. */
  readonly machinesLosePower: boolean;
}

export function linkToAny(context: RunContext, dice: Dice): ClientLink {
  return new ClientLink(context.world, dice, dice.pick(context.workers));
}

export function isActive(context: RunContext, generation: number): boolean {
  const { world } = context;
  const goesOn = world.now < context.activeUntil && generation === context.generation;
  return goesOn && world.violations.length === 0;
}

/** Whether a client of this generation may still finish what it has begun. */
export function mayFinish(context: RunContext, generation: number): boolean {
  return generation === context.generation && context.world.violations.length === 0;
}
