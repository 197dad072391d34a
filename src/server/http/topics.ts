/** `/v1/topics`: list, create, describe, alter and delete topics. */
import { type Context, Hono } from "hono";
import { StreamError } from "../../base/stream-error.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { isInternalTopic } from "../../record/topic-name.ts";
import { emptyQuery, listTopicsQuery } from "../../wire/http/queries.ts";
import {
  alterTopicRequest,
  createTopicRequest,
  type TopicDetails,
  type TopicSummary,
} from "../../wire/http/shapes.ts";
import { checkQuery } from "./check-shape.ts";
import type { HttpContext } from "./context.ts";
import type { Endpoints } from "./endpoint.ts";
import { jsonAnswer } from "./json-answer.ts";
import { receiveJson } from "./request-json.ts";
import { requireTopic } from "./topic-lookup.ts";

export function topicsApp(context: HttpContext, endpoints: Endpoints): Hono {
  const app = new Hono();
  const { topics } = context;
  const named = (c: Context) => requireTopic(topics, c.req.param("topic") ?? "");
  endpoints.mount(app, "listTopics", async (c) => {
    const { internal } = checkQuery(listTopicsQuery, c.req.url);
    const all = await topics.list();
    const shown = internal === "true" ? all : all.filter(({ name }) => !isInternalTopic(name));
    return jsonAnswer(c, { topics: shown.map(summary) });
  });
  endpoints.mount(app, "createTopic", async (c) => {
    const { name, partitions, config } = await receiveJson(createTopicRequest, c, context);
    const topic = await topics.create({
      name,
      partitionCount: partitions ?? -1,
      replicationFactor: -1,
      config: config ?? {},
    });
    c.header("Location", `/v1/topics/${topic.name}`);
    return jsonAnswer(c, await details(context, topic), 201);
  });
  endpoints.mount(app, "describeTopic", async (c) => {
    checkQuery(emptyQuery, c.req.url);
    return jsonAnswer(c, await details(context, await named(c)));
  });
  endpoints.mount(app, "alterTopic", async (c) => {
    const changes = await receiveJson(alterTopicRequest, c, context);
    return jsonAnswer(c, await details(context, await alter(context, await named(c), changes)));
  });
  endpoints.mount(app, "deleteTopic", async (c) => {
    await topics.delete((await named(c)).topicId);
    return c.body(null, 204);
  });
  return app;
}

/** The settings first: they are checked as a whole, and a count once raised stays. */
async function alter(
  { topics }: HttpContext,
  topic: TopicInfo,
  changes: { partitions?: number | undefined; config?: Record<string, string | null> | undefined },
): Promise<TopicInfo> {
  const { partitions, config } = changes;
  if (partitions === undefined && config === undefined) {
    throw new StreamError("invalid_request", `Cannot alter "${topic.name}": nothing to change`, {
      details: { field: "body", expected: "partitions, config or both" },
    });
  }
  if (partitions !== undefined && partitions < topic.partitionCount) {
    throw new StreamError(
      "invalid_partition_count",
      `Cannot give "${topic.name}" ${partitions} partitions: it has ${topic.partitionCount}, ` +
        "and partitions can only be added",
      { details: { field: "partitions", expected: `more than ${topic.partitionCount}` } },
    );
  }
  let altered = topic;
  if (config !== undefined) altered = await topics.alterConfig(topic.topicId, config);
  if (partitions !== undefined && partitions !== altered.partitionCount) {
    altered = await topics.addPartitions(topic.topicId, partitions);
  }
  return altered;
}

function summary(topic: TopicInfo): TopicSummary {
  const { name, topicId, partitionCount, config, createdAt } = topic;
  return { name, topicId, partitions: partitionCount, config: { ...config }, createdAt };
}

async function details({ log }: HttpContext, topic: TopicInfo): Promise<TopicDetails> {
  const asked = Array.from({ length: topic.partitionCount }, (_, partition) => ({
    topic,
    partition,
  }));
  const status = await log.status(asked);
  const partitionStatus = asked.flatMap(({ partition }) => {
    const found = status[partition];
    if (found === undefined) return [];
    const { logStartOffset, highOffset, sizeBytes } = found;
    const leader = log.leaderOf(topic.topicId, partition);
    return [{ partition, leader, logStartOffset, highOffset, sizeBytes }];
  });
  return { ...summary(topic), partitionStatus };
}
