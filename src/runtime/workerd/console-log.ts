import type { Logger, LogLevel } from "../../base/log.ts";
import { createLogger } from "../node/logger.ts";
import { clock } from "../node/platform.ts";

/** JSON lines on the console, which is where Workers keep logs and can search their fields. */
export function createConsoleLogger(level: LogLevel): Logger {
  return createLogger({
    level,
    format: "json",
    hasColour: false,
    write: (line) => console.log(line.trimEnd()),
    now: () => clock.now(),
  });
}
