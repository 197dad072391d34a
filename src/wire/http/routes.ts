/**
 * Every route of the HTTP surface in one table: the server mounts it, `/openapi.json` and the
 * reference in HTTP.md are written from it, and 405 answers take their Allow header from it.
 */
import type * as z from "zod";
import * as media from "./media-type.ts";
import * as pollShapes from "./poll-shapes.ts";
import * as queries from "./queries.ts";
import * as shapes from "./shapes.ts";
import * as sqlShapes from "./sql-shapes.ts";
import * as tokenShapes from "./token-shapes.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A JSON shape, or what else a body is. */
export type BodyShape = z.ZodType | "text" | "bytes";

export interface Answer {
  readonly status: number;
  readonly what: string;
  /** By media type; none: no body. */
  readonly content?: Readonly<Record<string, BodyShape>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RouteSpec {
  readonly method: Method;
  /** With `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  readonly details?: string;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  /** By media type. */
  readonly body?: Readonly<Record<string, BodyShape>>;
  readonly answer: Answer;
  /** Problem statuses beyond those that any route may give. */
  readonly problems: readonly number[];
  /** Answered without a token and to any Host: probes and the description itself. */
  readonly isOpen?: boolean;
  /** A read that is refused to pages of other origins as a write is. */
  readonly isCostly?: boolean;
  /** What an access token must be good for here; without it none is. */
  readonly tokenOperation?: "read" | "write";
}

export type RouteName = keyof typeof routes;

/** What each path parameter is. */
export const pathParameters: Readonly<Record<string, string>> = {
  topic: "The topic's name.",
  partition: "The partition's number.",
  group: "The group's id.",
  query: "The query's id.",
  token: "The token's id.",
};

const positionHeaders = {
  "Millrace-Topic-Id": "The topic's id, for `topicId`.",
  "Millrace-Next-Offset": "Where to read on.",
  "Millrace-High-Offset": "One past the last record.",
  "Millrace-Log-Start-Offset": "The first record that is kept.",
} as const;

const topicRoutes = {
  listTopics: {
    method: "GET",
    path: "/v1/topics",
    summary: "List topics",
    query: queries.listTopicsQuery,
    answer: json(200, "All topics by name.", shapes.topicList),
    problems: [],
  },
  createTopic: {
    method: "POST",
    path: "/v1/topics",
    summary: "Create a topic",
    body: { [media.jsonMediaType]: shapes.createTopicRequest },
    answer: json(201, "The topic as made.", shapes.topicDetails),
    problems: [409, 413, 415],
  },
  describeTopic: {
    method: "GET",
    path: "/v1/topics/:topic",
    summary: "Describe a topic",
    answer: json(200, "The topic and its partitions.", shapes.topicDetails),
    problems: [404],
  },
  alterTopic: {
    method: "PATCH",
    path: "/v1/topics/:topic",
    summary: "Add partitions or change settings",
    body: { [media.jsonMediaType]: shapes.alterTopicRequest },
    answer: json(200, "The topic as it is now.", shapes.topicDetails),
    problems: [404, 413, 415],
  },
  deleteTopic: {
    method: "DELETE",
    path: "/v1/topics/:topic",
    summary: "Delete a topic and its records",
    answer: { status: 204, what: "The topic is gone." },
    problems: [404],
  },
} as const satisfies Record<string, RouteSpec>;

const recordRoutes = {
  produce: {
    method: "POST",
    path: "/v1/topics/:topic/records",
    summary: "Append records",
    details:
      "All records of a request are appended, or none. `Content-Encoding` may be gzip or zstd. " +
      "JSON bodies name key and partition per record and take no query parameters.",
    query: queries.valueQuery,
    headers: queries.producerHeaders,
    body: {
      [media.jsonMediaType]: shapes.produceRequest,
      [media.ndjsonMediaType]: "text",
      [media.textMediaType]: "text",
      [media.bytesMediaType]: "bytes",
    },
    answer: json(200, "The records are stored and published.", shapes.produceAnswer),
    problems: [403, 404, 409, 413, 415, 429],
    tokenOperation: "write",
  },
  read: {
    method: "GET",
    path: "/v1/topics/:topic/partitions/:partition/records",
    summary: "Read records of one partition",
    details:
      "With `endOffset`, a range that lies below the end of the log has an `ETag`, and with " +
      "`topicId` too it may be cached for a year.",
    query: queries.readQuery,
    answer: {
      status: 200,
      what: "Records from the offset on.",
      content: {
        [media.jsonMediaType]: shapes.readAnswer,
        [media.ndjsonMediaType]: shapes.readRecord,
        [media.batchesMediaType]: "bytes",
        [media.arrowStreamMediaType]: "bytes",
      },
      headers: positionHeaders,
    },
    problems: [404, 406, 416, 429],
    tokenOperation: "read",
  },
  readAll: {
    method: "GET",
    path: "/v1/topics/:topic/records",
    summary: "Read records of all partitions",
    details:
      "Where the answer ends is a cursor, with which event streams and WebSockets go on too.",
    query: queries.recordsQuery,
    answer: {
      status: 200,
      what: "Records from the place on.",
      content: {
        [media.jsonMediaType]: shapes.recordsAnswer,
        [media.arrowStreamMediaType]: "bytes",
      },
    },
    problems: [404, 406, 410, 429],
    tokenOperation: "read",
  },
  stream: {
    method: "GET",
    path: "/v1/topics/:topic/stream",
    summary: "Follow all partitions as server-sent events",
    query: queries.streamQuery,
    headers: queries.streamHeaders,
    answer: {
      status: 200,
      what: "An event per record; the stream stays open.",
      content: { [media.eventStreamMediaType]: shapes.streamRecord },
    },
    problems: [404, 406, 410],
    tokenOperation: "read",
  },
  socket: {
    method: "GET",
    path: "/v1/topics/:topic/ws",
    summary: "Follow all partitions over a WebSocket",
    details:
      'The client sends `{"credit":100}` and gets so many messages at most until it sends more. ' +
      "Pages need an origin that may write, or an access token.",
    query: queries.streamQuery,
    answer: { status: 101, what: "The WebSocket. Each message is a JSON object." },
    problems: [403, 404, 410, 426, 429],
    isCostly: true,
    tokenOperation: "read",
  },
} as const satisfies Record<string, RouteSpec>;

const groupRoutes = {
  listGroups: {
    method: "GET",
    path: "/v1/groups",
    summary: "List consumer groups",
    answer: json(200, "All groups by id.", shapes.groupList),
    problems: [],
  },
  describeGroup: {
    method: "GET",
    path: "/v1/groups/:group",
    summary: "Describe a consumer group, its offsets and its lag",
    answer: json(200, "The group.", shapes.groupDetails),
    problems: [404],
  },
  commitOffsets: {
    method: "PUT",
    path: "/v1/groups/:group/offsets",
    summary: "Set a group's committed offsets",
    details: "Refused while the group has members. Makes the group if there is none.",
    body: { [media.jsonMediaType]: shapes.commitOffsetsRequest },
    answer: json(200, "The offsets as committed.", shapes.commitOffsetsAnswer),
    problems: [404, 409, 413, 415],
  },
  pollGroup: {
    method: "POST",
    path: "/v1/groups/:group/poll",
    summary: "Commit what the last poll gave, and read on",
    details:
      "Consumes topics as one of a group's clients, without a connection or a session: the answer's " +
      "`position` goes into the next poll, at any worker. Refused while the group has members that " +
      "use the Kafka protocol.",
    body: { [media.jsonMediaType]: pollShapes.pollRequest },
    answer: json(200, "Records, and the position behind them.", pollShapes.pollAnswer),
    problems: [404, 409, 413, 415, 429],
  },
  deleteGroup: {
    method: "DELETE",
    path: "/v1/groups/:group",
    summary: "Delete a group without members, and its offsets",
    answer: { status: 204, what: "The group is gone." },
    problems: [404, 409],
  },
} as const satisfies Record<string, RouteSpec>;

const tokenRoutes = {
  createToken: {
    method: "POST",
    path: "/v1/tokens",
    summary: "Make an access token",
    details:
      "It lets a page or a device append to topics, or read them, and nothing else. The token is " +
      "in this answer alone: what is kept is its hash.",
    body: { [media.jsonMediaType]: tokenShapes.createTokenRequest },
    answer: json(201, "The token.", tokenShapes.createdToken),
    problems: [404, 413, 415],
  },
  listTokens: {
    method: "GET",
    path: "/v1/tokens",
    summary: "List access tokens",
    answer: json(200, "All tokens, without their secrets.", tokenShapes.tokenList),
    problems: [],
  },
  revokeToken: {
    method: "DELETE",
    path: "/v1/tokens/:token",
    summary: "Revoke an access token",
    details: "At once at the worker that is asked, within five seconds at all others.",
    answer: { status: 204, what: "The token is gone." },
    problems: [404],
  },
} as const satisfies Record<string, RouteSpec>;

const sqlContent = {
  [media.jsonMediaType]: sqlShapes.sqlAnswer,
  [media.ndjsonMediaType]: sqlShapes.sqlRowLine,
  [media.sqlLinesMediaType]: sqlShapes.sqlLine,
  [media.arrowStreamMediaType]: "bytes",
  [media.eventStreamMediaType]: sqlShapes.sqlEvent,
} as const;

const sqlRoutes = {
  select: {
    method: "GET",
    path: "/v1/sql",
    summary: "Run one SELECT",
    details:
      "What `EventSource`, which can only GET, follows a view with: `SELECT … EMIT CHANGES`. Other " +
      "statements are refused. Pages need an origin that may write.",
    query: queries.selectQuery,
    headers: queries.selectHeaders,
    answer: { status: 200, what: "The SELECT's rows, as they come.", content: sqlContent },
    problems: [403, 404, 406, 410, 413, 416, 429, 507],
    isCostly: true,
  },
  selectSocket: {
    method: "GET",
    path: "/v1/sql/ws",
    summary: "Run one SELECT over a WebSocket",
    details:
      'The client sends `{"credit":100}` and gets so many rows or changes at most until it sends ' +
      "more. Pages need an origin that may write.",
    query: queries.selectQuery,
    answer: { status: 101, what: "The WebSocket. Each message is a JSON object." },
    problems: [403, 404, 410, 413, 416, 426, 429, 507],
    isCostly: true,
  },
  sql: {
    method: "POST",
    path: "/v1/sql",
    summary: "Run SQL statements",
    details:
      "Statements run in order; the first one that fails ends the script. What fails before the " +
      "answer has begun is a problem document with `statement`, `line`, `column` and a " +
      "`diagnostic` for people. Closing the connection ends a query.",
    body: { [media.jsonMediaType]: sqlShapes.sqlRequest },
    answer: {
      status: 200,
      what: "What the statements give, as it comes.",
      content: sqlContent,
    },
    problems: [404, 406, 409, 413, 415, 429, 507],
  },
  listQueries: {
    method: "GET",
    path: "/v1/queries",
    summary: "List continuous queries, and how they go",
    answer: json(200, "All queries by id.", sqlShapes.queryList),
    problems: [],
  },
  describeQuery: {
    method: "GET",
    path: "/v1/queries/:query",
    summary: "Show how a continuous query goes",
    answer: json(200, "The query.", sqlShapes.queryDetails),
    problems: [404],
  },
  dropQuery: {
    method: "DELETE",
    path: "/v1/queries/:query",
    summary: "End a query that INSERT INTO has started",
    details: "What it has written stays. The query of a materialized view goes with its view.",
    answer: { status: 204, what: "The query is gone." },
    problems: [404],
  },
  pauseQuery: {
    method: "POST",
    path: "/v1/queries/:query/pause",
    summary: "Pause a query",
    details: "It commits, keeps its place, and gives its thread and memory back.",
    answer: json(200, "The query.", sqlShapes.queryDetails),
    problems: [404],
  },
  resumeQuery: {
    method: "POST",
    path: "/v1/queries/:query/resume",
    summary: "Resume a query that is paused or has failed",
    answer: json(200, "The query.", sqlShapes.queryDetails),
    problems: [404],
  },
} as const satisfies Record<string, RouteSpec>;

const operationRoutes = {
  kafka: {
    method: "GET",
    path: "/kafka",
    summary: "Speak the Kafka protocol over a WebSocket",
    details:
      "Binary messages are a byte stream, their borders mean nothing. Either side may send 1 MiB, " +
      "and more as the other says in text messages how many bytes more it has done with.",
    query: queries.kafkaQuery,
    answer: { status: 101, what: "The WebSocket." },
    problems: [403, 426],
    isCostly: true,
  },
  cluster: {
    method: "GET",
    path: "/v1/cluster",
    summary: "Show the live workers",
    answer: json(200, "The workers.", shapes.cluster),
    problems: [],
  },
  metrics: {
    method: "GET",
    path: "/metrics",
    summary: "Metrics in Prometheus' text format",
    answer: { status: 200, what: "All series.", content: { "text/plain": "text" } },
    problems: [],
  },
  healthz: {
    method: "GET",
    path: "/healthz",
    summary: "Is the process alive?",
    answer: json(200, "It is.", shapes.health),
    problems: [],
    isOpen: true,
  },
  readyz: {
    method: "GET",
    path: "/readyz",
    summary: "Does the process take requests?",
    details: "503 with the same shape while it starts or stops.",
    answer: json(200, "It does.", shapes.health),
    problems: [503],
    isOpen: true,
  },
  openapi: {
    method: "GET",
    path: "/openapi.json",
    summary: "This description (OpenAPI 3.1)",
    answer: { status: 200, what: "The document.", content: { [media.jsonMediaType]: "text" } },
    problems: [],
    isOpen: true,
  },
  clientScript: {
    method: "GET",
    path: "/client.js",
    summary: "The client for pages, a JavaScript module",
    details: "Pages of any origin may load it. With an ETag, for an hour.",
    answer: {
      status: 200,
      what: "The module.",
      content: { [media.scriptMediaType]: "text" },
      headers: { ETag: "Sent back in `If-None-Match`: 304 while the module is the same." },
    },
    problems: [],
    isOpen: true,
  },
} as const satisfies Record<string, RouteSpec>;

export const routes = {
  ...topicRoutes,
  ...recordRoutes,
  ...groupRoutes,
  ...tokenRoutes,
  ...sqlRoutes,
  ...operationRoutes,
} as const satisfies Record<string, RouteSpec>;

function json<S extends z.ZodType>(status: number, what: string, shape: S): Answer {
  return { status, what, content: { [media.jsonMediaType]: shape } };
}
