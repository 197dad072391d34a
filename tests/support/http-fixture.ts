/** The HTTP surface over a log in memory, asked without a socket. */
import { AnswerMemory } from "../../src/base/answer-memory.ts";
import { ByteBudget } from "../../src/base/byte-budget.ts";
import { silentLogger } from "../../src/base/log.ts";
import type { UpgradeSocket } from "../../src/base/message-socket.ts";
import { Metrics } from "../../src/base/metrics.ts";
import type { Platform } from "../../src/base/platform.ts";
import { GroupCoordinator } from "../../src/group/coordinator.ts";
import { createPlatform } from "../../src/runtime/node/platform.ts";
import { createHttpApp } from "../../src/server/http/app.ts";
import type { HttpContext, HttpSettings } from "../../src/server/http/context.ts";
import { MemoryGroups } from "./memory-group-store.ts";
import { MemoryLog, type MemoryLogOptions } from "./memory-log.ts";
import { MemoryTokens } from "./memory-tokens.ts";
import { noSql } from "./no-sql.ts";

export interface HttpFixtureOptions {
  readonly settings?: Partial<HttpSettings>;
  readonly log?: Partial<MemoryLogOptions>;
  readonly platform?: Platform;
  readonly bodyBudgetBytes?: number;
  readonly readBudgetBytes?: number;
  readonly upgradeSocket?: UpgradeSocket;
  readonly sql?: Partial<Pick<HttpContext, "sql" | "queries">>;
}

export interface HttpFixture {
  readonly log: MemoryLog;
  readonly metrics: Metrics;
  readonly context: HttpContext;
  /** Stops the server. */
  readonly stop: () => void;
  /** Sends a request to `http://localhost:8080`; `json` becomes the body. */
  ask(path: string, request?: RequestInit & { readonly json?: unknown }): Promise<Response>;
  /** Another worker's surface on the same log. */
  another(): HttpFixture["ask"];
}

export function createHttpFixture(options: HttpFixtureOptions = {}): HttpFixture {
  const platform = options.platform ?? createPlatform({ log: silentLogger });
  const log = new MemoryLog({ platform, ...options.log });
  const stopping = new AbortController();
  const context: HttpContext = {
    clientScript: () => "export const connect = () => {};\n",
    log,
    topics: log,
    groups: new GroupCoordinator({ platform, ...new MemoryGroups({ platform }).worker(1) }),
    tokens: new MemoryTokens(platform.clock),
    ...noSql,
    ...options.sql,
    platform,
    metrics: new Metrics(),
    bodyBudget: new ByteBudget(options.bodyBudgetBytes ?? 64 * 1024 * 1024),
    answerMemory: new AnswerMemory(options.readBudgetBytes ?? 64 * 1024 * 1024),
    settings: {
      token: undefined,
      origins: [],
      publicTopics: [],
      isLoopback: true,
      requestBytesMax: 8 * 1024 * 1024,
      decompressedBytesMax: 64 * 1024 * 1024,
      version: "0.0.0",
      ...options.settings,
    },
    shutdown: stopping.signal,
    upgradeSocket: options.upgradeSocket,
    fetch,
    status: () => (stopping.signal.aborted ? "stopping" : "ok"),
  };
  const { metrics } = context;
  const ask = asker(context);
  const another = () => asker({ ...context, metrics: new Metrics() });
  return { log, metrics, context, stop: () => stopping.abort(), ask, another };
}

function asker(context: HttpContext): HttpFixture["ask"] {
  const app = createHttpApp(context);
  return async (path, { json, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (json !== undefined) headers.set("Content-Type", "application/json");
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const request = new Request(`http://localhost:8080${path}`, { ...init, ...body, headers });
    return app.fetch(request);
  };
}
