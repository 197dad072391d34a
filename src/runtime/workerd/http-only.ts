/**
 * Stands in the Worker's bundle for those halves of @libsql/client that a server over HTTP never
 * meets: WebSockets, and Protobuf and cursors, which belong to version 3 of the protocol. Over HTTP
 * the client speaks version 2, which is JSON and one request per batch.
 */
function refuse(): never {
  throw new Error("The Worker speaks with libSQL servers over HTTP, in JSON");
}

/** Of ws.js of @libsql/client. */
export const _createClient = refuse;

/** Of ws/client.js, http/cursor.js and isomorphic-ws, all of @libsql/hrana-client's. */
export class WsClient {}
export class WsStream {}
export class HttpCursor {}
export const WebSocket = undefined;
export const subprotocolsV2: ReadonlyMap<string, unknown> = new Map();
export const subprotocolsV3 = subprotocolsV2;

/** Of its encoding/protobuf and of protobuf_encode.js and protobuf_decode.js. */
export const readProtobufMessage = refuse;
export const writeProtobufMessage = refuse;
export const PipelineReqBody = refuse;
export const PipelineRespBody = refuse;
export const CursorReqBody = refuse;
