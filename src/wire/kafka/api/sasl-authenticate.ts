/**
 * SaslAuthenticate: one step of the mechanism's exchange. 1: how long the session may last.
 */
import { defineApi } from "../api-table.ts";
import { bytes, defineMessage, int16, int64, string } from "../field-table.ts";

export interface SaslAuthenticateRequest {
  readonly authBytes: Uint8Array;
}

export const saslAuthenticateRequest = defineMessage<SaslAuthenticateRequest>({
  name: "SaslAuthenticateRequest",
  versions: { min: 0, max: 2 },
  flexibleSince: 2,
  fields: {
    authBytes: bytes(),
  },
});

export interface SaslAuthenticateResponse {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly authBytes: Uint8Array;
  readonly sessionLifetimeMs?: number;
}

export const saslAuthenticateResponse = defineMessage<SaslAuthenticateResponse>({
  name: "SaslAuthenticateResponse",
  versions: { min: 0, max: 2 },
  flexibleSince: 2,
  fields: {
    errorCode: int16(),
    errorMessage: string({ nullableSince: 0 }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ since: 1, ignorable: true }),
  },
});

export const saslAuthenticateApi = defineApi({
  name: "SaslAuthenticate",
  key: 36,
  request: saslAuthenticateRequest,
  response: saslAuthenticateResponse,
});
