import type { ClientRequest, ServerLink } from "./connection.ts";
import { type ServerEvent } from "./event-stream.ts";
import { MillraceError } from "./millrace-error.ts";
export interface FollowOptions {
    /** Asked before each attempt. */
    readonly request: () => ClientRequest & {
        readonly path: string;
    };
    readonly signal?: AbortSignal;
    readonly silenceMs?: number;
    readonly onOpen?: () => void;
    /**
     * An attempt failed, `isMute` when it was answered and not one byte followed. True: give up, and
     * end without an error.
     */
    readonly onTrouble: (error: MillraceError, isMute: boolean) => boolean;
}
/**
 * Events by the chunk that completed them, over all connections. Ends when `signal` aborts, when
 * the server says `end`, and when `onTrouble` gives up.
 * @throws MillraceError for what another attempt does not mend.
 */
export declare function follow(connection: ServerLink, options: FollowOptions): AsyncGenerator<readonly ServerEvent[], void>;
/** A function, since a signal changes between two looks. */
export declare function hasEnded(signal: AbortSignal | undefined): boolean;
