import {
  type HeartbeatRequest,
  type HeartbeatResponse,
  heartbeatApi,
} from "../../wire/kafka/api/heartbeat.ts";
import { groupFailureCode } from "./group-errors.ts";
import type { KafkaHandler } from "./handler.ts";

export const heartbeatHandler: KafkaHandler<HeartbeatRequest, HeartbeatResponse> = {
  api: heartbeatApi,
  async handle(request, call) {
    try {
      await call.context.groups.heartbeat(request);
      return { errorCode: 0 };
    } catch (error) {
      return { errorCode: groupFailureCode(error, call) };
    }
  },
};
