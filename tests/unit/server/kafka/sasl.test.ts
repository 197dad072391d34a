import { describe, expect, test } from "bun:test";
import { SaslState } from "../../../../src/server/kafka/sasl.ts";
import { apiVersionsApi } from "../../../../src/wire/kafka/api/api-versions.ts";
import { metadataApi } from "../../../../src/wire/kafka/api/metadata.ts";
import { saslAuthenticateApi } from "../../../../src/wire/kafka/api/sasl-authenticate.ts";
import { saslHandshakeApi } from "../../../../src/wire/kafka/api/sasl-handshake.ts";
import { createKafkaFixture } from "../../../support/kafka-fixture.ts";

const plain = (text: string) => new TextEncoder().encode(text);
const right = plain("\0alice\0secret");
const metadata = { topics: null };
const handshake = { mechanism: "PLAIN" };

function protectedServer() {
  const fixture = createKafkaFixture({ settings: { token: "secret" } });
  return { fixture, client: fixture.connect() };
}

describe("SASL PLAIN", () => {
  test("lets in who knows the token, under any name", async () => {
    const { client } = protectedServer();
    expect((await client.ask(apiVersionsApi, 0, {})).errorCode).toBe(0);
    const { errorCode, mechanisms } = await client.ask(saslHandshakeApi, 1, handshake);
    expect({ errorCode, mechanisms }).toEqual({ errorCode: 0, mechanisms: ["PLAIN"] });
    const answer = await client.ask(saslAuthenticateApi, 2, { authBytes: right });
    expect(answer).toMatchObject({ errorCode: 0, errorMessage: null, sessionLifetimeMs: 0 });
    expect((await client.ask(metadataApi, 12, metadata)).brokers).toHaveLength(1);
  });

  test("takes all steps sent at once", async () => {
    const { client } = protectedServer();
    client.request(saslHandshakeApi, 1, handshake);
    client.request(saslAuthenticateApi, 2, { authBytes: right });
    client.request(metadataApi, 12, metadata);
    await client.answer(saslHandshakeApi, 1);
    await client.answer(saslAuthenticateApi, 2);
    expect((await client.answer(metadataApi, 12)).brokers).toHaveLength(1);
  });

  test("takes a bare token after SaslHandshake 0 and answers an empty frame", async () => {
    const { client } = protectedServer();
    await client.ask(saslHandshakeApi, 0, handshake);
    client.send(Uint8Array.of(0, 0, 0, right.length), right);
    expect(await client.receive()).toEqual(new Uint8Array(0));
    expect((await client.ask(metadataApi, 12, metadata)).brokers).toHaveLength(1);
  });

  test("closes without an answer when a bare token is wrong", async () => {
    const { client } = protectedServer();
    await client.ask(saslHandshakeApi, 0, handshake);
    client.send(Uint8Array.of(0, 0, 0, 4), plain("\0a\0b"));
    expect(await client.receive()).toBeUndefined();
  });

  const wrong = [
    ["a wrong password", "\0alice\0secreT"],
    ["a longer password", "\0alice\0secretsecret"],
    ["no password", "\0alice\0"],
    ["no user name", "\0\0secret"],
    ["another's authorization id", "bob\0alice\0secret"],
    ["a malformed token", "secret"],
    ["a token of four parts", "\0alice\0secret\0"],
  ] as const;
  for (const [what, token] of wrong) {
    test(`answers SASL_AUTHENTICATION_FAILED to ${what} and closes`, async () => {
      const { fixture, client } = protectedServer();
      await client.ask(saslHandshakeApi, 1, handshake);
      const answer = await client.ask(saslAuthenticateApi, 2, { authBytes: plain(token) });
      expect(answer.errorCode).toBe(58);
      expect(await client.receive()).toBeUndefined();
      expect(fixture.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
    });
  }

  test("names its mechanisms to who asks for another, and closes", async () => {
    const { client } = protectedServer();
    const answer = await client.ask(saslHandshakeApi, 1, { mechanism: "SCRAM-SHA-256" });
    expect(answer).toMatchObject({ errorCode: 33, mechanisms: ["PLAIN"] });
    expect(await client.receive()).toBeUndefined();
  });

  test("closes on anything else before authentication", async () => {
    for (const before of [false, true]) {
      const { client } = protectedServer();
      if (before) await client.ask(saslHandshakeApi, 1, handshake);
      client.request(metadataApi, 12, metadata);
      expect(await client.receive()).toBeUndefined();
    }
  });

  test("closes on a large request before authentication, announced or sent", async () => {
    const { client } = protectedServer();
    client.send(Uint8Array.of(0, 0x10, 0, 0, 0));
    expect(await client.receive()).toBeUndefined();
  });

  test("answers ILLEGAL_SASL_STATE where nobody asks for authentication, as Kafka does", async () => {
    const client = createKafkaFixture().connect();
    expect(await client.ask(saslHandshakeApi, 1, handshake)).toEqual({
      errorCode: 34,
      mechanisms: [],
    });
    const answer = await client.ask(saslAuthenticateApi, 2, { authBytes: right });
    expect(answer.errorCode).toBe(34);
    expect((await client.ask(metadataApi, 12, metadata)).brokers).toHaveLength(1);
  });

  test("SaslState makes the user name the principal", () => {
    const state = new SaslState("secret");
    expect(state.principal.name).toBe("ANONYMOUS");
    expect(state.authenticate(right)).toBeUndefined();
    expect(state.principal).toEqual({ type: "User", name: "alice" });
  });
});
