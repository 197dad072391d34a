import type { ServerLink } from "./connection.ts";
import { type ConsumedRecord, type ConsumeOptions } from "./consumed-record.ts";
/** `query` says what is to be read, and from where unless there is a cursor. */
export declare function followSocket<V>(link: ServerLink, { path, query }: {
    readonly path: string;
    readonly query: string;
}, options: ConsumeOptions<V>, start: string | undefined): AsyncGenerator<ConsumedRecord<V>, void>;
