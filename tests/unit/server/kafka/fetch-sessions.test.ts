import { describe, expect, test } from "bun:test";
import {
  FetchSessions,
  type PartitionNews,
  type SessionPartition,
} from "../../../../src/server/kafka/fetch-sessions.ts";
import { createRandom } from "../../../support/virtual-platform.ts";

function asked(partition: number, fetchOffset = 0, topic = "orders"): SessionPartition {
  const key = `${topic}/${partition}`;
  return {
    key,
    topic,
    topicId: "",
    partition,
    fetchOffset,
    partitionBytesMax: 1000,
    currentLeaderEpoch: -1,
  };
}

function quiet(partition: number, news: Partial<PartitionNews> = {}): PartitionNews {
  const key = `orders/${partition}`;
  return { key, failed: false, hasRecords: false, highOffset: 5, logStartOffset: 0, ...news };
}

function create(sessionsMax = 10) {
  const time = { now: 0 };
  const random = createRandom(1);
  const sessions = new FetchSessions({ random, monotonic: () => time.now, sessionsMax });
  const begin = (...partitions: number[]) =>
    sessions.begin(
      partitions.map((each) => asked(each)),
      partitions.map((each) => quiet(each)),
      false,
    );
  const plan = (
    sessionId: number,
    sessionEpoch: number,
    change: { partitions?: SessionPartition[]; forgotten?: string[]; byTopicId?: boolean } = {},
  ) =>
    sessions.plan({
      sessionId,
      sessionEpoch,
      byTopicId: false,
      partitions: [],
      forgotten: [],
      ...change,
    });
  return { time, sessions, begin, plan };
}

function order(plan: ReturnType<ReturnType<typeof create>["plan"]>): number[] {
  return plan.kind === "refused" ? [] : plan.partitions.map(({ partition }) => partition);
}

function sessionOf(plan: ReturnType<ReturnType<typeof create>["plan"]>) {
  if (plan.kind !== "incremental") throw new Error(`The plan is ${plan.kind}`);
  return plan.session;
}

describe("FetchSessions", () => {
  test("remembers partitions over epochs that count from 1", () => {
    const { begin, plan } = create();
    const id = begin(0, 1);
    expect(id).toBeGreaterThan(0);
    expect(order(plan(id, 1))).toEqual([0, 1]);
    expect(order(plan(id, 2))).toEqual([0, 1]);
  });

  test("adds, changes and forgets partitions", () => {
    const { begin, plan, sessions } = create();
    const id = begin(0, 1);
    const change = { partitions: [asked(2), asked(0, 77)], forgotten: ["orders/1"] };
    const planned = plan(id, 1, change);
    expect(order(planned)).toEqual([0, 2]);
    expect(planned.kind === "incremental" && planned.partitions[0]?.fetchOffset).toBe(77);
    expect(sessions.partitionCount).toBe(2);
  });

  test("refuses an unknown id, another epoch and another way of naming topics", () => {
    const { begin, plan } = create();
    const id = begin(0);
    expect(plan(id + 1, 1)).toEqual({ kind: "refused", fault: "FETCH_SESSION_ID_NOT_FOUND" });
    expect(plan(id, 2)).toEqual({ kind: "refused", fault: "INVALID_FETCH_SESSION_EPOCH" });
    expect(plan(id, 1, { byTopicId: true })).toEqual({
      kind: "refused",
      fault: "FETCH_SESSION_TOPIC_ID_ERROR",
    });
    expect(plan(id, 1).kind).toBe("incremental");
  });

  test("closes a session at epoch −1, at 0 in favour of a new one, and when it is empty", () => {
    const { begin, plan, sessions } = create();
    expect(plan(begin(0), -1)).toMatchObject({ kind: "full", mayBegin: false });
    expect(plan(begin(0), 0)).toMatchObject({ kind: "full", mayBegin: true });
    expect(plan(begin(0), 1, { forgotten: ["orders/0"] })).toMatchObject({ kind: "full" });
    expect(sessions.count).toBe(0);
    expect(sessions.partitionCount).toBe(0);
  });

  test("tells a partition again only when something about it is new", () => {
    const { begin, plan, sessions } = create();
    const session = sessionOf(plan(begin(0), 1));
    expect(sessions.report(session, quiet(0))).toBe(false);
    expect(sessions.report(session, quiet(0, { highOffset: 6 }))).toBe(true);
    expect(sessions.report(session, quiet(0, { highOffset: 6 }))).toBe(false);
    expect(sessions.report(session, quiet(0, { highOffset: 6, logStartOffset: 2 }))).toBe(true);
    const records = quiet(0, { highOffset: 6, logStartOffset: 2, hasRecords: true });
    expect(sessions.report(session, records)).toBe(true);
  });

  test("tells errors each time, and the partition once more when it has recovered", () => {
    const { begin, plan, sessions } = create();
    const session = sessionOf(plan(begin(0), 1));
    const failure = quiet(0, { failed: true, highOffset: -1, logStartOffset: -1 });
    expect(sessions.report(session, failure)).toBe(true);
    expect(sessions.report(session, failure)).toBe(true);
    expect(sessions.report(session, quiet(0))).toBe(true);
    expect(sessions.report(session, quiet(0))).toBe(false);
  });

  test("reads next what has waited longest for records", () => {
    const { begin, plan, sessions } = create();
    const id = begin(0, 1, 2);
    const session = sessionOf(plan(id, 1));
    sessions.report(session, quiet(0, { hasRecords: true }));
    expect(order(plan(id, 2))).toEqual([1, 2, 0]);
  });

  test("keeps to its number of sessions: unused ones make room after two minutes", () => {
    const { begin, plan, time, sessions } = create(2);
    const [first, second] = [begin(0), begin(0)];
    expect(begin(0)).toBe(0);
    time.now = 100_000;
    plan(first, 1);
    time.now = 130_000;
    const third = begin(0);
    expect(third).toBeGreaterThan(0);
    expect(plan(second, 1).kind).toBe("refused");
    expect(plan(first, 2).kind).toBe("incremental");
    expect(sessions.count).toBe(2);
  });

  test("lets a larger session push out a smaller one that is two minutes old", () => {
    const { begin, plan, time } = create(1);
    const small = begin(0);
    time.now = 121_000;
    plan(small, 1);
    expect(begin(0)).toBe(0);
    expect(begin(0, 1)).toBeGreaterThan(0);
  });

  test("begins no session without partitions", () => {
    const { begin } = create();
    expect(begin()).toBe(0);
  });
});
