import { expect, test } from "bun:test";
import { createLogger, type LoggerOptions } from "../../../../src/runtime/node/logger.ts";

function logInto(lines: string[], options: Partial<LoggerOptions> = {}) {
  return createLogger({
    level: "info",
    format: "text",
    hasColour: false,
    write: (line) => lines.push(line),
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    ...options,
  });
}

test("a text line has time, level, message and fields", () => {
  const lines: string[] = [];
  logInto(lines).with({ worker: 3 }).warn("PUT failed", { key: "a b", attempts: 2 });
  expect(lines).toEqual(['03:04:05.006 warn  PUT failed worker=3 key="a b" attempts=2\n']);
});

test("a JSON line is one object with the same", () => {
  const lines: string[] = [];
  logInto(lines, { format: "json" }).error("PUT failed", {
    cause: new Error("outer", { cause: new Error("inner") }),
    bytes: new Uint8Array(3),
    position: 2n ** 60n,
  });
  expect(JSON.parse(lines[0] ?? "")).toEqual({
    time: "2026-01-02T03:04:05.006Z",
    level: "error",
    message: "PUT failed",
    cause: "outer, because: inner",
    bytes: "3 bytes",
    position: "1152921504606846976",
  });
});

test("lines below the level are not printed", () => {
  const lines: string[] = [];
  const log = logInto(lines, { level: "warn" });
  log.debug("a");
  log.info("b");
  log.warn("c");
  expect(lines).toHaveLength(1);
});

test("fields that hold secrets are hidden in both formats", () => {
  const lines: string[] = [];
  const fields = { token: "hunter2", metadataToken: "hunter3", authorization: "Bearer hunter4" };
  logInto(lines).info("started", fields);
  logInto(lines, { format: "json" }).info("started", fields);
  expect(lines.join("")).not.toContain("hunter");
});

test("a line feed in a message's field cannot forge a line", () => {
  const lines: string[] = [];
  logInto(lines).info("closed", { reason: "x\n03:04:05.006 error forged" });
  expect(lines[0]?.split("\n")).toHaveLength(2);
});
