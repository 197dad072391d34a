import type { ProducerQueue } from "./producer.ts";
/**
 * Records wait in the database `millrace-NAME` of the page's origin.
 * @throws MillraceError where there is no IndexedDB or no Web Locks (pages over plain http).
 */
export declare function indexedDbQueue(name?: string): ProducerQueue;
