import { describe, expect, test } from "bun:test";
import { topicList } from "../../../../src/wire/http/shapes.ts";
import { createHttpFixture } from "../../../support/http-fixture.ts";

describe("topics", () => {
  test("are created, listed, described, altered and deleted", async () => {
    const { ask } = createHttpFixture();
    const json = { name: "orders", partitions: 2, config: { "retention.ms": 1000 } };
    const created = await ask("/v1/topics", { method: "POST", json });
    expect(created.status).toBe(201);
    expect(created.headers.get("Location")).toBe("/v1/topics/orders");
    const details = (await created.json()) as Record<string, unknown>;
    expect(details).toMatchObject({
      name: "orders",
      partitions: 2,
      config: { "retention.ms": "1000" },
      partitionStatus: [
        { partition: 0, leader: 1, logStartOffset: 0, highOffset: 0, sizeBytes: 0 },
        { partition: 1 },
      ],
    });
    expect(await (await ask("/v1/topics/orders")).json()).toEqual(details);
    const { partitionStatus: _, ...summary } = details;
    expect(await (await ask("/v1/topics")).json()).toEqual({ topics: [summary] });
    const altered = await ask("/v1/topics/orders", {
      method: "PATCH",
      json: { partitions: 3, config: { "retention.ms": null, "max.message.bytes": 5000 } },
    });
    expect(await altered.json()).toMatchObject({
      partitions: 3,
      config: { "max.message.bytes": "5000" },
    });
    expect((await ask("/v1/topics/orders", { method: "DELETE" })).status).toBe(204);
    expect((await ask("/v1/topics/orders")).status).toBe(404);
  });

  test("of the server's own are listed when they are asked for", async () => {
    const { ask } = createHttpFixture();
    for (const name of ["orders", "__millrace_checkpoint.q"]) {
      await ask("/v1/topics", { method: "POST", json: { name } });
    }
    const names = async (query: string) => {
      const { topics } = topicList.parse(await (await ask(`/v1/topics${query}`)).json());
      return topics.map(({ name }) => name).sort();
    };
    expect(await names("")).toEqual(["orders"]);
    expect(await names("?internal=true")).toEqual(["__millrace_checkpoint.q", "orders"]);
    expect((await ask("/v1/topics?internal=yes")).status).toBe(400);
  });

  test("are refused with the field at fault", async () => {
    const { ask } = createHttpFixture();
    const post = async (json: unknown) => {
      const response = await ask("/v1/topics", { method: "POST", json });
      return (await response.json()) as Record<string, unknown>;
    };
    expect(await post({ name: "a b" })).toMatchObject({ status: 400, code: "invalid_topic_name" });
    expect(await post({ partitions: 1 })).toMatchObject({ status: 400, field: "name" });
    expect(await post({ name: "t", partitions: 0 })).toMatchObject({ field: "partitions" });
    expect(await post({ name: "t", x: 1 })).toMatchObject({ field: "x" });
    await post({ name: "t" });
    expect(await post({ name: "t" })).toMatchObject({ status: 409, code: "topic_exists" });
    const patch = await ask("/v1/topics/t", {
      method: "PATCH",
      json: { partitions: 1, config: {} },
    });
    expect(patch.status).toBe(200);
    const nothing = await ask("/v1/topics/t", { method: "PATCH", json: {} });
    expect(await nothing.json()).toMatchObject({ status: 400, code: "invalid_request" });
    const text = await ask("/v1/topics", {
      method: "POST",
      body: "{",
      headers: { "Content-Type": "application/json" },
    });
    expect(await text.json()).toMatchObject({ status: 400, field: "body" });
  });
});

describe("operations", () => {
  test("tell health, readiness, the cluster and what was counted", async () => {
    const { ask, stop } = createHttpFixture();
    expect(await (await ask("/healthz")).json()).toEqual({ status: "ok" });
    expect(await (await ask("/v1/cluster")).json()).toMatchObject({ selfNodeId: 1 });
    await ask("/v1/topics");
    const metrics = await ask("/metrics");
    expect(metrics.headers.get("Content-Type")).toStartWith("text/plain; version=0.0.4");
    expect(await metrics.text()).toContain(
      'millrace_http_requests_total{route="listTopics",status="200"} 1',
    );
    stop();
    const ready = await ask("/readyz");
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: "stopping" });
  });

  test("describe every route in OpenAPI, every reference resolved", async () => {
    const { ask } = createHttpFixture();
    const text = await (await ask("/openapi.json")).text();
    const document = JSON.parse(text);
    expect(document.openapi).toBe("3.1.0");
    const produce = document.paths["/v1/topics/{topic}/records"].post;
    expect(Object.keys(produce.requestBody.content)).toHaveLength(4);
    const place = ["Producer-Id", "Producer-Epoch", "Producer-Seq"];
    expect(produce.parameters.map((each: { name: string }) => each.name)).toEqual([
      ...["topic", "token", "key", "partition", "body"],
      ...[...place, ...place],
    ]);
    const references = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, id]) => id);
    expect(references.length).toBeGreaterThan(20);
    for (const id of references) expect(document.components.schemas).toHaveProperty([String(id)]);
    expect(text).not.toContain("$defs");
  });
});
