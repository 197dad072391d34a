/**
 * SASL on a Kafka connection (KIP-43, KIP-152), mechanism PLAIN (RFC 4616): SaslHandshake names the
 * mechanism, SaslAuthenticate carries `[authzid] NUL authcid NUL password`. After SaslHandshake 0
 * the token comes as a bare frame, and success is an empty one. The password is the server's token;
 * any user name will do and becomes the principal.
 */

import { apiVersionsApi } from "../../wire/kafka/api/api-versions.ts";
import { saslAuthenticateApi } from "../../wire/kafka/api/sasl-authenticate.ts";
import { saslHandshakeApi } from "../../wire/kafka/api/sasl-handshake.ts";
import type { EncodedMessage } from "../../wire/kafka/codec.ts";
import { anonymous, type Principal } from "./context.ts";

export const saslMechanism = "PLAIN";

/**
 * none: no authentication is asked for. Else handshake → token (or rawToken) → authenticated.
 */
export type SaslStep = "none" | "handshake" | "token" | "rawToken" | "authenticated";

export class SaslState {
  readonly #token: string | null;
  step: SaslStep;
  principal: Principal = anonymous;

  constructor(token: string | null) {
    this.#token = token;
    this.step = token === null ? "none" : "handshake";
  }

  get authenticated(): boolean {
    return this.step === "none" || this.step === "authenticated";
  }

  /** Judges a PLAIN token; undefined when it passed, else what is wrong. */
  authenticate(token: Uint8Array): string | undefined {
    const fields = plainFields(token);
    if (fields === undefined)
      return "Invalid SASL/PLAIN response: expected authzid, authcid, password";
    const { authorizationId, authenticationId, password } = fields;
    if (authenticationId === "") return "Authentication failed: username not specified";
    if (password.length === 0) return "Authentication failed: password not specified";
    if (authorizationId !== "" && authorizationId !== authenticationId) {
      return "Authentication failed: the authorization id is not the username";
    }
    const expected = new TextEncoder().encode(this.#token ?? "");
    if (!equalInConstantTime(password, expected)) {
      return "Authentication failed: Invalid username or password";
    }
    this.step = "authenticated";
    this.principal = { type: "User", name: authenticationId };
    return undefined;
  }
}

/** What may be sent in the connection's present step, by API key. */
export function allowedBeforeAuthentication(apiKey: number, { step }: SaslState): boolean {
  if (apiKey === apiVersionsApi.key) return step === "handshake";
  if (apiKey === saslHandshakeApi.key) return step === "handshake";
  return apiKey === saslAuthenticateApi.key && step === "token";
}

/** Answers the bare frame that follows SaslHandshake 0. */
export function authenticateRaw(
  sasl: SaslState,
  token: Uint8Array,
  closeAfter: (reason: string) => void,
): EncodedMessage | undefined {
  const fault = sasl.authenticate(token);
  if (fault !== undefined) {
    closeAfter(fault);
    return undefined;
  }
  const empty = new Uint8Array(4);
  return { chunks: [empty], byteLength: empty.length };
}

interface PlainFields {
  readonly authorizationId: string;
  readonly authenticationId: string;
  readonly password: Uint8Array;
}

function plainFields(token: Uint8Array): PlainFields | undefined {
  const first = token.indexOf(0);
  const second = token.indexOf(0, first + 1);
  if (first < 0 || second < 0 || token.indexOf(0, second + 1) >= 0) return undefined;
  const text = new TextDecoder();
  return {
    authorizationId: text.decode(token.subarray(0, first)),
    authenticationId: text.decode(token.subarray(first + 1, second)),
    password: token.subarray(second + 1),
  };
}

/** Takes as long for any password of one length, however much of it is right. */
function equalInConstantTime(given: Uint8Array, expected: Uint8Array): boolean {
  let difference = given.length ^ expected.length;
  for (let index = 0; index < given.length; index++) {
    difference |= (given[index] ?? 0) ^ (expected[index % expected.length] ?? 0);
  }
  return difference === 0;
}
