/**
 * Consumes topics as one of several that share them: each partition has one reader at a time, and
 * the group's offsets say where the next one goes on. At least once: a poll commits what the poll
 * before it gave, and is sent when all of that has been taken out of the loop.
 */
import { answered } from "./answered.js";
import { Backoff } from "./backoff.js";
import { recordOf, } from "./consumed-record.js";
import { hasEnded } from "./follow.js";
/** Below the time that a request may take to be answered, and what proxies bear. */
const waitMs = 20_000;
/**
 * The first poll makes a member, and if its answer is lost, one that nobody is: what it was given
 * waits no longer than this, and is one record at most.
 */
const firstLeaseMs = 5_000;
/** For the last commit, when the loop has ended. */
const leaveMsMax = 5_000;
/**
 * Yields records of `topics` until `signal` aborts, which commits what was taken and leaves the
 * group. A loop that is left otherwise commits nothing of its last poll.
 * @throws MillraceError when it cannot go on: `topic_unknown`, `group_not_empty`, 401, 403.
 */
export async function* consumeGroup(connection, group, topics, options = {}) {
    const { signal, parse, from, maxRecords = 500, leaseMs = 30_000, onGap } = options;
    const base = {
        topics,
        values: parse === undefined ? "json" : "text",
        ...(from !== undefined && { offset: from }),
    };
    const ask = (body, ended) => poll(connection, group, { ...base, ...body }, ended);
    const first = { max_records: 1, wait_ms: 0, lease_ms: Math.min(leaseMs, firstLeaseMs) };
    const next = { max_records: maxRecords, wait_ms: waitMs, lease_ms: leaseMs };
    const backoff = new Backoff(connection.platform, connection.backoff);
    let position;
    for (;;) {
        const asked = () => ask(position === undefined ? first : { ...next, position }, signal);
        const answer = await answered(asked, backoff, options);
        if (answer === undefined)
            break;
        options.onOpen?.();
        for (const gap of answer.gaps)
            onGap?.(gap);
        for (const record of answer.records) {
            const { cursor: _, ...taken } = recordOf(record, "", parse);
            yield { ...taken, topic: record.topic };
            // The rest was not taken, so the answer must not be committed.
            if (hasEnded(signal) && record !== answer.records.at(-1))
                return;
        }
        ({ position } = answer);
    }
    if (position === undefined)
        return;
    // Whoever comes next goes on at once; if this fails, when the lease is over, and with repeats.
    await ask({ max_records: 0, position }, AbortSignal.timeout(leaveMsMax)).catch(() => undefined);
}
async function poll(link, group, body, signal) {
    const answer = await link.request(`/v1/groups/${encodeURIComponent(group)}/poll`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal,
    });
    return (await answer.json());
}
