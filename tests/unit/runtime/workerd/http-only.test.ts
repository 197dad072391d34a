import { expect, test } from "bun:test";
import * as httpOnly from "../../../../src/runtime/workerd/http-only.ts";

test("what the Worker's bundle leaves out of the client says so when it is called", () => {
  const { _createClient, readProtobufMessage, writeProtobufMessage } = httpOnly;
  for (const absent of [_createClient, readProtobufMessage, writeProtobufMessage]) {
    expect(absent).toThrow("over HTTP, in JSON");
  }
});
