import {
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
  saslAuthenticateApi,
} from "../../wire/kafka/api/sasl-authenticate.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import type { KafkaHandler } from "./handler.ts";

const nothing = new Uint8Array(0);

/** SaslAuthenticate: a wrong password is answered, then the connection is closed. */
export const saslAuthenticateHandler: KafkaHandler<
  SaslAuthenticateRequest,
  SaslAuthenticateResponse
> = {
  api: saslAuthenticateApi,
  async handle({ authBytes }, { sasl, closeAfter }) {
    if (sasl.authenticated) {
      return {
        errorCode: kafkaErrors.ILLEGAL_SASL_STATE.code,
        errorMessage: "SaslAuthenticate request received after successful authentication",
        authBytes: nothing,
      };
    }
    const fault = sasl.authenticate(authBytes);
    if (fault === undefined) return { errorCode: 0, errorMessage: null, authBytes: nothing };
    closeAfter(fault);
    const errorCode = kafkaErrors.SASL_AUTHENTICATION_FAILED.code;
    return { errorCode, errorMessage: fault, authBytes: nothing };
  },
};
