export { connect } from "./connection.js";
export { consume } from "./consume.js";
export { consumeGroup } from "./consume-group.js";
export { indexedDbQueue } from "./indexed-db-queue.js";
export { MillraceError } from "./millrace-error.js";
export { Producer, produce, producer } from "./producer.js";
