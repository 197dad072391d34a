/**
 * Where a server is and how it is asked: `connect(place, options)`. Everything else of the client
 * takes what it returns as first argument, so that a bundler leaves out what a page does not use.
 */
import type { BackoffOptions } from "./backoff.ts";
import { type ClientPlatform } from "./platform.ts";
/** A service binding of a Cloudflare Worker, or whatever else answers requests. */
export interface Fetcher {
    fetch(input: string, init?: RequestInit): Promise<Response>;
}
export interface ConnectOptions {
    /** The server's or an ingest token; a function is asked before each request. */
    readonly token?: string | (() => string | Promise<string>);
    /** Sent with each request. */
    readonly headers?: Readonly<Record<string, string>>;
    /** How long an answer may take to begin, in milliseconds. Default 30 000. */
    readonly timeoutMs?: number;
    /** Pauses between attempts. */
    readonly backoff?: BackoffOptions;
    /** In place of the global `fetch`. */
    readonly fetch?: Fetcher["fetch"];
    /** Time and chance, for tests. */
    readonly platform?: ClientPlatform;
}
/** Value types by topic, as in `connect<{ clicks: Click }>(…)`. */
export type Topics = Record<string, unknown>;
export type TopicOf<T> = keyof T & string;
/** How to ask a server. */
export interface ServerLink {
    /** Without a slash at its end. */
    readonly url: string;
    readonly platform: ClientPlatform;
    readonly backoff: BackoffOptions;
    readonly timeoutMs: number;
    /** False of a service binding, which takes requests alone. */
    readonly hasSockets: boolean;
    /** The token at this moment. */
    token(): Promise<string | undefined>;
    /** `path` with the token in its query, for what can send no headers. */
    signed(path: string): string;
    /**
     * Asks once; resolves with the head of an answer 2xx.
     * @throws MillraceError for any other answer or none; the signal's reason when it aborts.
     */
    request(path: string, init?: ClientRequest): Promise<Response>;
}
/** The same, for topics with values of these types: `T` maps topics to types. */
export interface Connection<T = Topics> extends ServerLink {
    /** Nothing at run time: it keeps connections of other topics apart for the compiler. */
    readonly topics?: T;
}
export interface ClientRequest {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly signal?: AbortSignal | undefined;
}
/**
 * `place` is a server's URL (in a page also a path of its origin, such as "/"), or a service
 * binding of the user's own Worker. Nothing is sent yet.
 */
export declare function connect<T = Topics>(place: string | URL | Fetcher, options?: ConnectOptions): Connection<T>;
