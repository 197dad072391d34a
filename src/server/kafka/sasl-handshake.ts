import {
  type SaslHandshakeRequest,
  type SaslHandshakeResponse,
  saslHandshakeApi,
} from "../../wire/kafka/api/sasl-handshake.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import type { KafkaHandler } from "./handler.ts";
import { saslMechanism } from "./sasl.ts";

/** SaslHandshake: names the mechanism. Once authenticated, or where nobody asks, it is refused. */
export const saslHandshakeHandler: KafkaHandler<SaslHandshakeRequest, SaslHandshakeResponse> = {
  api: saslHandshakeApi,
  async handle({ mechanism }, { sasl, version, closeAfter }) {
    if (sasl.authenticated) {
      return { errorCode: kafkaErrors.ILLEGAL_SASL_STATE.code, mechanisms: [] };
    }
    const mechanisms = [saslMechanism];
    if (mechanism !== saslMechanism) {
      closeAfter(`it asked for the SASL mechanism "${mechanism}"`);
      return { errorCode: kafkaErrors.UNSUPPORTED_SASL_MECHANISM.code, mechanisms };
    }
    sasl.step = version === 0 ? "rawToken" : "token";
    return { errorCode: 0, mechanisms };
  },
};
