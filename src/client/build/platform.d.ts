/**
 * What the client takes from where it runs: time, chance, and pauses. The one file of the client
 * that asks for them by name, so that tests put others in their place.
 */
import type { IdbFactory } from "./indexed-db.ts";
export interface ClientPlatform {
    /** Milliseconds since 1970. */
    now(): number;
    /** From 0 up to 1. */
    random(): number;
    /** A name that nobody else takes. */
    id(): string;
    /** Resolves after `ms`, sooner when `signal` aborts. */
    sleep(ms: number, signal?: AbortSignal): Promise<void>;
    /** The same, and sooner also when the device comes back online. */
    pause(ms: number, signal?: AbortSignal): Promise<void>;
}
export declare const platform: ClientPlatform;
/** What only pages have; absent elsewhere. */
export interface PageScope {
    readonly location?: {
        readonly origin: string;
        readonly href: string;
    };
    readonly document?: {
        readonly visibilityState: string;
    };
    readonly navigator?: {
        sendBeacon?(url: string, body: Blob): boolean;
        readonly locks?: LockManagerLike;
    };
    readonly indexedDB?: IdbFactory;
    addEventListener?(type: string, listener: () => void): void;
    removeEventListener?(type: string, listener: () => void): void;
}
/** The part of the Web Locks API that the queue uses. */
export interface LockManagerLike {
    request<T>(name: string, options: {
        readonly ifAvailable?: boolean;
    }, hold: (lock: object | null) => Promise<T>): Promise<T>;
}
export declare const page: PageScope;
