/** In place of `log/stored-extents.ts`: a Worker has no threads that read what is stored. */
export class StoredExtents {
  constructor() {
    throw new Error("Broken invariant: no thread of a Worker reads the log");
  }
}
