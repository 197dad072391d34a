import { describe, expect, test } from "bun:test";
import { kafkaApiByKey, kafkaApis } from "../../../../src/wire/kafka/api-registry.ts";

describe("kafkaApis", () => {
  test("are in the order of their keys, each once", () => {
    const keys = kafkaApis.map(({ key }) => key);
    expect(keys).toEqual([...new Set(keys)].sort((left, right) => left - right));
    for (const api of kafkaApis) expect(kafkaApiByKey.get(api.key)).toBe(api);
  });

  test("have the same versions in request and response, named after the API", () => {
    for (const { name, request, response, versions } of kafkaApis) {
      expect([request.name, response.name]).toEqual([`${name}Request`, `${name}Response`]);
      expect([request.versions, response.versions]).toEqual([versions, versions]);
      expect(request.flexibleSince).toBe(response.flexibleSince);
    }
  });
});
