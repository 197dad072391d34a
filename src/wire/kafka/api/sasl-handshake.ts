/**
 * SaslHandshake: the mechanism to authenticate by. After version 0 the tokens follow as bare
 * length-prefixed frames, after version 1 in SaslAuthenticate requests.
 */
import { defineApi } from "../api-table.ts";
import { arrayOf, defineMessage, int16, string } from "../field-table.ts";

export interface SaslHandshakeRequest {
  readonly mechanism: string;
}

export const saslHandshakeRequest = defineMessage<SaslHandshakeRequest>({
  name: "SaslHandshakeRequest",
  versions: { min: 0, max: 1 },
  fields: {
    mechanism: string(),
  },
});

export interface SaslHandshakeResponse {
  readonly errorCode: number;
  readonly mechanisms: readonly string[];
}

export const saslHandshakeResponse = defineMessage<SaslHandshakeResponse>({
  name: "SaslHandshakeResponse",
  versions: { min: 0, max: 1 },
  fields: {
    errorCode: int16(),
    mechanisms: arrayOf(string()),
  },
});

export const saslHandshakeApi = defineApi({
  name: "SaslHandshake",
  key: 17,
  request: saslHandshakeRequest,
  response: saslHandshakeResponse,
});
