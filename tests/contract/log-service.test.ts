import { silentLogger } from "../../src/base/log.ts";
import { createPlatform } from "../../src/runtime/node/platform.ts";
import { openStack } from "../support/log-stack.ts";
import { MemoryLog } from "../support/memory-log.ts";
import { logServiceContract } from "./log-service.ts";

logServiceContract("the log", async ({ autoCreate }) => {
  const topics = { autoCreateTopics: autoCreate, partitionCountDefault: 1 };
  const { log, platform } = await openStack({ topics });
  return { log, topics: log.topics, platform, close: () => log.close() };
});

logServiceContract("the log in memory that servers are tried on", async ({ autoCreate }) => {
  const platform = createPlatform({ log: silentLogger });
  const log = new MemoryLog({ platform, autoCreate });
  return { log, topics: log, platform, close: async () => undefined };
});
