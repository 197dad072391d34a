/**
 * In place of hrana-client's Protobuf: @libsql/client speaks version 2 of the protocol over HTTP,
 * which is JSON, and of the rest only the names are used.
 */
function refuse(): never {
  throw new Error("The Worker's bundle speaks no Protobuf");
}

export const readProtobufMessage = refuse;
export const writeProtobufMessage = refuse;
export const PipelineReqBody = refuse;
export const PipelineRespBody = refuse;
export const CursorReqBody = refuse;
export const CursorRespBody = refuse;
export const CursorEntry = refuse;
export const ClientMsg = refuse;
export const ServerMsg = refuse;
