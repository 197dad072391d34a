/**
 * Bounds the tasks that statements hold while they run: each has a thread and a memory of its own.
 * Pulls of views have none and are not counted.
 */
import { StreamError } from "../base/stream-error.ts";
import type { StartTask, TaskHandle } from "./task-protocol.ts";

/** @throws StreamError `queue_full`, from what it gives, when `tasksMax` run. */
export function limitTasks(start: StartTask, tasksMax: number): StartTask {
  let count = 0;
  return async (setup) => {
    if (count >= tasksMax) {
      const message = `Cannot run the query: ${tasksMax} run already; try again later`;
      throw new StreamError("queue_full", message, { details: { tasksMax } });
    }
    count += 1;
    let task: TaskHandle;
    try {
      task = await start(setup);
    } catch (error) {
      count -= 1;
      throw error;
    }
    let isOpen = true;
    return {
      readsPlaces: task.readsPlaces === true,
      send: (request) => task.send(request),
      giveBack: (batches) => task.giveBack(batches),
      close() {
        if (isOpen) count -= 1;
        isOpen = false;
        task.close();
      },
    };
  };
}
