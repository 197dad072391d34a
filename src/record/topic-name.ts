/**
 * Kafka's rules for topic names: 1 to 249 of `[a-zA-Z0-9._-]`, not `.` or `..`. Since metric names
 * replace `.` by `_`, two topics whose names differ only there collide and the second is refused.
 */
import { StreamError } from "../base/stream-error.ts";
import type { TopicName } from "./types.ts";

const topicNameLengthMax = 249;

const legal = /^[a-zA-Z0-9._-]+$/;

/** Why `name` is not a legal topic name, or undefined when it is one. */
export function topicNameFault(name: string): string | undefined {
  if (name.length === 0) return "it is empty";
  if (name === "." || name === "..") return 'it is "." or ".."';
  if (name.length > topicNameLengthMax) {
    return `it has ${name.length} characters, ${topicNameLengthMax} are allowed`;
  }
  return legal.test(name) ? undefined : "only a-z, A-Z, 0-9, '.', '_' and '-' are allowed";
}

/**
 * Parses a topic name.
 * @throws StreamError `invalid_topic_name`.
 */
export function parseTopicName(name: string): TopicName {
  const fault = topicNameFault(name);
  if (fault === undefined) return name as TopicName;
  const shown = name.length > topicNameLengthMax ? `${name.slice(0, 32)}…` : name;
  throw new StreamError("invalid_topic_name", `Cannot use topic name "${shown}": ${fault}`);
}

/** Prefix of topics that hold what is nobody's business but the server's: checkpoints. */
export const internalTopicPrefix = "__millrace_";

/** Tells whether readers that subscribe by pattern should pass a topic over. */
export function isInternalTopic(name: string): boolean {
  return name.startsWith(internalTopicPrefix);
}

/** The form under which colliding names are equal: for an index over the names that exist. */
export function topicNameCollisionKey(name: string): string {
  return name.replaceAll(".", "_");
}

/** Tells whether two different names collide. */
export function hasCollision(first: string, second: string): boolean {
  return first !== second && topicNameCollisionKey(first) === topicNameCollisionKey(second);
}
