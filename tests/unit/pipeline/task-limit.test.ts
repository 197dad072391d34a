import { expect, test } from "bun:test";
import { limitTasks } from "../../../src/pipeline/task-limit.ts";
import type { StartTask, TaskHandle, TaskSetup } from "../../../src/pipeline/task-protocol.ts";

const setup = {} as TaskSetup;
const handle: TaskHandle = {
  send: () => Promise.reject(new Error("unused")),
  giveBack: () => {},
  close: () => {},
};

test("limitTasks refuses one task too many, until another is closed", async () => {
  const start = limitTasks(async () => handle, 2);
  const first = await start(setup);
  await start(setup);
  await expect(start(setup)).rejects.toMatchObject({ code: "queue_full", retriable: true });
  first.close();
  first.close();
  await start(setup);
  await expect(start(setup)).rejects.toMatchObject({ code: "queue_full" });
});

test("limitTasks does not count a task that did not start", async () => {
  let fails = true;
  const inner: StartTask = async () => {
    if (fails) throw new Error("no thread");
    return handle;
  };
  const start = limitTasks(inner, 1);
  await expect(start(setup)).rejects.toThrow("no thread");
  fails = false;
  await start(setup);
});
