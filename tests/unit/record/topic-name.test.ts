import { describe, expect, test } from "bun:test";
import {
  hasCollision,
  parseTopicName,
  topicNameCollisionKey,
  topicNameFault,
} from "../../../src/record/topic-name.ts";

describe("topic names", () => {
  test.each(["a", "orders", "a.b_c-D9", "...", "._", "x".repeat(249)])("accept %s", (name) => {
    expect(topicNameFault(name)).toBeUndefined();
    expect(parseTopicName(name) as string).toBe(name);
  });

  test.each([
    ["", "empty"],
    [".", '"."'],
    ["..", '".."'],
    ["x".repeat(250), "250 characters"],
    ["a b", "only"],
    ["a/b", "only"],
    ["ü", "only"],
    ["a\n", "only"],
  ])("refuse %p", (name, why) => {
    expect(topicNameFault(name)).toContain(why);
    expect(() => parseTopicName(name)).toThrow(
      expect.objectContaining({ code: "invalid_topic_name" }),
    );
  });

  test("collide when they differ only in dots and underscores", () => {
    expect(hasCollision("a.b", "a_b")).toBe(true);
    expect(hasCollision("a.b_c", "a_b.c")).toBe(true);
    expect(hasCollision("a.b", "a.b")).toBe(false);
    expect(hasCollision("a.b", "a-b")).toBe(false);
    expect(topicNameCollisionKey("a.b_c")).toBe("a_b_c");
  });
});
