/** The part of IndexedDB that the queue uses: only the types of pages know of it. */
/** All keys from `lower` to `upper`, both included. */
export function keyRange(lower, upper) {
    const { IDBKeyRange } = globalThis;
    return IDBKeyRange.bound(lower, upper);
}
