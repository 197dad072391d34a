/** A query runner over a whole log, whose task is the test's own: it counts records and says so. */
import { present } from "../../src/base/assert.ts";
import type { Log } from "../../src/log/log.ts";
import type { LogService } from "../../src/log/log-types.ts";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import { acquireLease } from "../../src/meta/leases.ts";
import { type NamespaceHead, publishTick } from "../../src/meta/publish-order.ts";
import { type QueryDefinition, querySettingsDefault } from "../../src/pipeline/query-definition.ts";
import type { QueryManagerParts } from "../../src/pipeline/query-manager.ts";
import { QueryRunner, type RunnerLog } from "../../src/pipeline/query-runner.ts";
import type {
  TaskHandle,
  TaskReply,
  TaskRequest,
  TaskSetup,
} from "../../src/pipeline/task-protocol.ts";
import type { OutputBatch } from "../../src/sql/engine/task-output.ts";
import { batchOf, type LogStack } from "./log-stack.ts";
import { readBack } from "./read-back.ts";

const noStatistics = {
  ...{ rowsIn: 0, rowsOut: 0, rowsLate: 0, rowsWrong: 0, rowsAhead: 0 },
  ...{ watermarks: [], watermarkHolders: [] },
};

/** Results are `1`, `2`, …: the number of records met so far. Its state is that number. */
export class CountingTask implements TaskHandle {
  readonly requests: TaskRequest[] = [];
  readonly #stack: LogStack;
  readonly #output: TopicInfo;
  /** What happens before a request is answered. */
  onRequest: (request: TaskRequest) => Promise<void> | void = () => {};
  nextTickAt: number | null = null;
  awaitsCommit = false;
  isClosed = false;
  readsPlaces = false;
  #count: number;
  #waiting: string[] = [];

  constructor(stack: LogStack, output: TopicInfo, setup: TaskSetup) {
    this.#stack = stack;
    this.#output = output;
    this.#count = setup.states.at(-1)?.bytes[0] ?? 0;
  }

  async send(request: TaskRequest): Promise<TaskReply> {
    if (request.kind === "restore") {
      this.#count = request.state?.bytes[0] ?? this.#count;
      return this.#reply([], null);
    }
    this.requests.push(request);
    const made = request.kind === "commit" ? null : this.#take(request);
    await this.onRequest(request);
    if (made !== null) return this.#reply([], null);
    const values = this.#waiting.splice(0);
    const outputs: OutputBatch[] = values.map((value) => {
      const { bytes } = batchOf(this.#stack, this.#output, [value]);
      return { kind: "result", partition: 0, bytes, recordCount: 1 };
    });
    return this.#reply(outputs, new Uint8Array([this.#count]));
  }

  giveBack(): void {}

  close(): void {
    this.isClosed = true;
  }

  #take(request: TaskRequest): number {
    if (request.kind !== "publishes") return 0;
    for (const { runs } of request.publishes) {
      for (const { batches, stored, place } of runs) {
        // Of what is stored, one batch is an extent here.
        const whole = stored ?? place;
        for (const _ of whole === undefined ? batches : [whole]) {
          this.#waiting.push(`${++this.#count}`);
        }
      }
    }
    return request.publishes.length;
  }

  #reply(outputs: readonly OutputBatch[], state: Uint8Array | null): TaskReply {
    const { nextTickAt } = this;
    return {
      statistics: noStatistics,
      isFull: false,
      outputBytes: 0,
      awaitsCommit: this.awaitsCommit,
      nextTickAt,
      outputs,
      outputsAreLeft: false,
      state,
      stateIsLeft: false,
      committed: null,
    };
  }
}

export interface FixtureOptions {
  /** In the place of the log's. */
  readonly log?: Partial<Pick<LogService, "append" | "appendGroup" | "fetch">>;
  readonly publishTick?: (topicNumbers: readonly number[]) => Promise<NamespaceHead>;
  readonly commitIntervalMs?: number;
  /** Sees each task before its first request. */
  readonly onTask?: (task: CountingTask, index: number) => void;
}

/** What queries take from a log, each to be replaced. */
export function runnerLogOf(log: Log): QueryManagerParts["log"] {
  return {
    append: (batch) => log.append(batch),
    appendGroup: (group) => log.appendGroup(group),
    fetch: (request, signal) => log.fetch(request, signal),
    status: (partitions) => log.status(partitions),
    deleteRecords: (topic, partition, before) => log.deleteRecords(topic, partition, before),
    groupBytesMax: log.groupBytesMax,
    follow: (topics, start) => log.follow(topics, start),
    cluster: () => log.cluster(),
  };
}

/** Topics `in` and `out`, and a query between them. */
export async function queryFixture(stack: LogStack, options: FixtureOptions = {}) {
  const make = (name: string) =>
    stack.log.topics.create({ name, partitionCount: 1, replicationFactor: -1, config: {} });
  const input = await make("in");
  const output = await make("out");
  const checkpoints = await make("checkpoints");
  const named = ({ name, topicId }: TopicInfo) => ({ name, topicId });
  const { workerEpoch } = stack.log.session.current();
  const lease = await acquireLease(stack.database, { kind: "query", name: "q", workerEpoch });
  const definition: QueryDefinition = {
    plan: { root: { kind: "source" }, timeZone: "UTC" } as unknown as QueryDefinition["plan"],
    shape: { value: [], key: [] },
    inputs: [named(input)],
    ...{ output: named(output), checkpoints: named(checkpoints) },
    start: {
      publishPosition: 0,
      cursors: [{ topicNumber: input.topicNumber, partition: 0, nextOffset: 0 }],
    },
    settings: { ...querySettingsDefault, commitIntervalMs: options.commitIntervalMs ?? 5 },
  };
  const { log } = stack;
  const seen: RunnerLog = { ...runnerLogOf(log), ...options.log };
  const tasks: CountingTask[] = [];
  const runner = new QueryRunner({
    ...{ platform: stack.platform, log: seen, topics: log.topics, queryId: "q", definition },
    guard: { kind: "lease", leaseKind: "query", name: "q", leaseEpoch: lease.leaseEpoch },
    publishTick: options.publishTick ?? ((numbers) => publishTick(stack.database, numbers)),
    startTask: async (setup) => {
      const task = new CountingTask(stack, output, setup);
      options.onTask?.(task, tasks.length);
      tasks.push(task);
      return task;
    },
  });
  return {
    ...{ runner, tasks, input, output, lease },
    append: async (value: string) => void (await log.append(batchOf(stack, input, [value]))),
    results: async () => (await readBack(stack, output)).map(({ value }) => value),
    lastTask: () => present(tasks.at(-1), "a task"),
  };
}
