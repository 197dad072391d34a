import type { ServerLink } from "./connection.ts";
import { type ConsumedRecord, type ConsumeOptions } from "./consumed-record.ts";
export declare function pollTopic<V>(connection: ServerLink, topic: string, options: ConsumeOptions<V>, cursor: string | undefined): AsyncGenerator<ConsumedRecord<V>, void>;
