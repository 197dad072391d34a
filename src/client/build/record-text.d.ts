/** A record as the JSON that `POST /v1/topics/{topic}/records` takes. */
/** What goes with a value. */
export interface RecordFields {
    /** Records of one key keep their order; text, or bytes. */
    readonly key?: string | Uint8Array | null;
    readonly headers?: Readonly<Record<string, string | null>>;
    /** Default: the key's, else the one that the producer's id leads to. */
    readonly partition?: number;
    /** Milliseconds since 1970. Default: when it was given to the producer. */
    readonly timestamp?: number;
}
/**
 * Text is stored as it reads, bytes as they are, null as no value (a tombstone), anything else as
 * its JSON. @throws TypeError for what JSON cannot say, such as `undefined`.
 */
export declare function recordText(value: unknown, fields: RecordFields, timestamp: number): string;
/** The bytes of base64, as reads give them. */
export declare function bytesOfBase64(text: string): Uint8Array;
