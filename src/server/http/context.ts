import type { AnswerMemory } from "../../base/answer-memory.ts";
import type { ByteBudget } from "../../base/byte-budget.ts";
import type { SocketHandler, UpgradeSocket } from "../../base/message-socket.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Platform } from "../../base/platform.ts";
import type { GroupService } from "../../group/group-service.ts";
import type { LogService, TopicService } from "../../log/log-types.ts";
import type { AccessTokenStore } from "../../meta/access-tokens.ts";
import type { QueryAdmin } from "../../pipeline/query-admin.ts";
import type { SqlService } from "../../pipeline/sql-service.ts";

export interface HttpSettings {
  /** The shared secret; undefined: anyone may do anything. */
  readonly token: string | undefined;
  /** Origins of pages that may read and write, as browsers write them: `https://app.example`. */
  readonly origins: readonly string[];
  /** Topics that anybody may read, from pages of any origin. */
  readonly publicTopics: readonly string[];
  /** Bound to a loopback address: a foreign Host header is a rebound DNS name, and is refused. */
  readonly isLoopback: boolean;
  /** Bound of a request body, before and after decompression. */
  readonly requestBytesMax: number;
  /** Bound of a compressed stored batch once decompressed for a reader. */
  readonly decompressedBytesMax: number;
  readonly version: string;
}

export type OpenKafka = (tunnel: {
  readonly address: { readonly host: string; readonly port: number };
  readonly asksSasl: boolean;
}) => SocketHandler | Promise<SocketHandler>;

/** What the HTTP surface stands on; a composition root makes it. */
export interface HttpContext {
  /** The text of /client.js; asked for once. */
  readonly clientScript: () => string;
  readonly log: LogService;
  readonly topics: TopicService;
  readonly groups: GroupService;
  /** What pages and devices show. */
  readonly tokens: AccessTokenStore;
  /** Runs SQL statements. */
  readonly sql: Pick<SqlService, "execute" | "isStill">;
  /** Continuous queries, for their operators. */
  readonly queries: Pick<QueryAdmin, "list" | "find" | "setDesired" | "drop">;
  readonly platform: Platform;
  readonly metrics: Metrics;
  /** Bytes of request bodies held by all requests; when it is full the answer is 429. */
  readonly bodyBudget: ByteBudget;
  /** Bytes of records held for readers; when it is full the answer is 429, streams wait. */
  readonly answerMemory: AnswerMemory;
  readonly settings: HttpSettings;
  /** Aborts when the server stops: waits end and streams close. */
  readonly shutdown: AbortSignal;
  /** Undefined: there are no WebSockets. */
  readonly upgradeSocket: UpgradeSocket | undefined;
  /**
   * Event streams are written by another, who asks for them with an Upgrade: what they say goes
   * there through a WebSocket, which rests where a response could not.
   */
  readonly carriesStreams?: boolean | undefined;
  /**
   * Serves a Kafka connection through a WebSocket; undefined: there are none. Its clients are told
   * that `address` is the one broker.
   */
  readonly openKafka?: OpenKafka | undefined;
  /** Asks another worker: the runtime's fetch. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  status(): "ok" | "starting" | "stopping";
}
