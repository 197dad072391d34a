/**
 * InitProducerId: an id and epoch for an idempotent or transactional producer. 3: a producer may
 * raise the epoch of the id it has. Version 6 (KIP-939) is not released in Kafka 4.2 and left out.
 */
import { defineApi } from "../api-table.ts";
import { defineMessage, int16, int32, int64, string } from "../field-table.ts";

export interface InitProducerIdRequest {
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
}

export const initProducerIdRequest = defineMessage<InitProducerIdRequest>({
  name: "InitProducerIdRequest",
  versions: { min: 0, max: 5 },
  flexibleSince: 2,
  fields: {
    transactionalId: string({ nullableSince: 0 }),
    transactionTimeoutMs: int32(),
    producerId: int64({ since: 3, default: -1 }),
    producerEpoch: int16({ since: 3, default: -1 }),
  },
});

export interface InitProducerIdResponse {
  readonly throttleTimeMs?: number;
  readonly errorCode: number;
  readonly producerId?: number;
  readonly producerEpoch: number;
}

export const initProducerIdResponse = defineMessage<InitProducerIdResponse>({
  name: "InitProducerIdResponse",
  versions: { min: 0, max: 5 },
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    errorCode: int16(),
    producerId: int64({ default: -1 }),
    producerEpoch: int16(),
  },
});

export const initProducerIdApi = defineApi({
  name: "InitProducerId",
  key: 22,
  request: initProducerIdRequest,
  response: initProducerIdResponse,
});
