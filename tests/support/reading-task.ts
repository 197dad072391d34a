/** A task in this thread that is given places of what is stored, and reads them from a store. */
import type { Platform } from "../../src/base/platform.ts";
import type { LocalTask } from "../../src/pipeline/local-task.ts";
import { PublishIntake } from "../../src/pipeline/publish-intake.ts";
import { StretchReads, slotBytes, slotCount } from "../../src/pipeline/stretch-reads.ts";
import type { TaskHandle, TaskReply, TaskRequest } from "../../src/pipeline/task-protocol.ts";
import type { ObjectStore } from "../../src/store/object-store.ts";

export class ReadingTask implements TaskHandle {
  readonly readsPlaces = true;
  /** Places that it was given. */
  placeCount = 0;
  readonly #task: LocalTask;
  readonly #intake: PublishIntake;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    task: LocalTask,
    parts: { readonly platform: Platform; readonly store: ObjectStore },
  ) {
    const { platform, store } = parts;
    this.#task = task;
    const allocate = () => new Uint8Array(slotBytes * slotCount);
    const openStore = () => ({
      readInto: store.readInto.bind(store),
      close: () => Promise.resolve(),
    });
    const reads = new StretchReads({ platform, allocate, openStore });
    this.#intake = new PublishIntake(() => reads);
  }

  send(request: TaskRequest): Promise<TaskReply> {
    const publishes = request.kind === "publishes" ? request.publishes : [];
    const runs = publishes.flatMap((publish) => publish.runs);
    this.placeCount += runs.filter(({ place }) => place !== undefined).length;
    this.#intake.announce(publishes);
    const answered = this.#turn.then(async () => {
      try {
        await this.#intake.takeIn(publishes, this.#task);
      } catch (error) {
        this.#task.fail(error);
      }
      return request.kind === "publishes"
        ? this.#task.answer({ ...request, publishes: [] })
        : this.#task.answer(request);
    });
    this.#turn = answered.catch(() => {});
    return answered;
  }

  giveBack(batches: readonly Uint8Array[]): void {
    this.#task.giveBack(batches);
  }

  close(): void {
    this.#task.close();
  }
}
