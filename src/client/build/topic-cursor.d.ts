export interface TopicCursor {
    readonly topicId: string;
    /** Next offset by partition. */
    readonly offsets: readonly number[];
}
export declare function readCursor(text: string): TopicCursor;
export declare function writeCursor({ topicId, offsets }: TopicCursor): string;
