import { StreamError } from "../../base/stream-error.ts";
import {
  type DeletableTopicResult,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
  deleteTopicsApi,
} from "../../wire/kafka/api/delete-topics.ts";
import { type KafkaErrorName, kafkaErrors } from "../../wire/kafka/error-code.ts";
import { kafkaErrorName } from "../../wire/kafka/error-name.ts";
import { type Decoded, zeroUuid } from "../../wire/kafka/field-table.ts";
import { kafkaFailure } from "./error-map.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { findTopicById, findTopicByName } from "./topic-lookup.ts";

/** Since then topics may be named by id (KIP-516). */
const topicIdsSince = 6;

interface Named {
  readonly name: string | null;
  readonly topicId: string;
}

/** DeleteTopics: by name or id; each topic on its own. */
export const deleteTopicsHandler: KafkaHandler<DeleteTopicsRequest, DeleteTopicsResponse> = {
  api: deleteTopicsApi,
  async handle(request, call) {
    const asked = namedTopics(request, call.version);
    const times = new Map<string, number>();
    for (const each of asked) times.set(keyOf(each), (times.get(keyOf(each)) ?? 0) + 1);
    const results = new Map<string, DeletableTopicResult>();
    for (const each of asked) {
      const key = keyOf(each);
      if (results.has(key)) continue;
      const isRepeated = (times.get(key) ?? 0) > 1;
      results.set(key, isRepeated ? repeated(each) : await deleteTopic(each, call));
    }
    return { responses: [...results.values()] };
  },
};

function namedTopics(request: Decoded<DeleteTopicsRequest>, version: number): readonly Named[] {
  if (version >= topicIdsSince) return request.topics;
  return request.topicNames.map((name) => ({ name, topicId: zeroUuid }));
}

function keyOf({ name, topicId }: Named): string {
  return name === null ? `id ${topicId}` : `name ${name}`;
}

function repeated({ name, topicId }: Named): DeletableTopicResult {
  const what = name === null ? "id" : "name";
  return refused({ name, topicId }, "INVALID_REQUEST", `Duplicate topic ${what}.`);
}

async function deleteTopic(asked: Named, call: KafkaCall): Promise<DeletableTopicResult> {
  const { name, topicId } = asked;
  const { topics } = call.context;
  if (name !== null && topicId !== zeroUuid) {
    return refused(asked, "INVALID_REQUEST", "You may not specify both topic name and topic id.");
  }
  if (name === null && topicId === zeroUuid) {
    return refused(asked, "INVALID_REQUEST", "Neither topic name nor id were specified.");
  }
  try {
    const found = name === null ? findTopicById(topics, topicId) : findTopicByName(topics, name);
    const { topic, errorCode } = await found;
    if (topic === undefined) return refused(asked, kafkaErrorName(errorCode));
    await topics.delete(topic.topicId);
    return { name: topic.name, topicId: topic.topicId, errorCode: 0, errorMessage: null };
  } catch (error) {
    const isGone = error instanceof StreamError && error.kind === "missing";
    if (isGone && name === null) return refused(asked, "UNKNOWN_TOPIC_ID");
    if (isGone) return refused(asked, "UNKNOWN_TOPIC_OR_PARTITION");
    const { errorCode, errorMessage, unexpected } = kafkaFailure(error);
    if (unexpected) call.context.platform.log.error("Deleting a topic failed", { name, error });
    return { ...asked, errorCode, errorMessage };
  }
}

function refused(
  { name, topicId }: Named,
  errorName: KafkaErrorName,
  errorMessage?: string,
): DeletableTopicResult {
  const { code, message } = kafkaErrors[errorName];
  return { name, topicId, errorCode: code, errorMessage: errorMessage ?? message };
}
