import { isStreamError } from "../../base/stream-error.ts";
import {
  type InitProducerIdRequest,
  type InitProducerIdResponse,
  initProducerIdApi,
} from "../../wire/kafka/api/init-producer-id.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { groupFailureCode } from "./group-errors.ts";
import type { KafkaHandler } from "./handler.ts";

/**
 * InitProducerId: a fresh producer id at epoch 0 for an idempotent producer, also for one that
 * brings an id of its own: it has lost its place and begins anew (as Kafka answers).
 */
export const initProducerIdHandler: KafkaHandler<InitProducerIdRequest, InitProducerIdResponse> = {
  api: initProducerIdApi,
  async handle({ transactionalId, producerId, producerEpoch }, call) {
    const refuse = (errorCode: number) => ({ errorCode, producerId: -1, producerEpoch: -1 });
    const isHalfGiven = (producerId === -1) !== (producerEpoch === -1);
    if (isHalfGiven || transactionalId === "") return refuse(kafkaErrors.INVALID_REQUEST.code);
    if (transactionalId !== null) {
      // The one code on which every transactional producer gives up instead of asking again.
      return refuse(kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.code);
    }
    try {
      const next = await call.context.producerIds.next();
      return { errorCode: 0, producerId: next, producerEpoch: 0 };
    } catch (error) {
      if (isStreamError(error, "metadata_unavailable")) {
        return refuse(kafkaErrors.COORDINATOR_LOAD_IN_PROGRESS.code);
      }
      return refuse(groupFailureCode(error, call));
    }
  },
};
