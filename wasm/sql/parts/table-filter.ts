/** A filter of a scan of a virtual table: see `table.ts`. It begins with its column. */

export const FILTER_OPERATOR: usize = 4;
export const FILTER_VALUE: usize = 8;
export const FILTER_LENGTH: usize = 12;
export const FILTER_IS_TEXT: usize = 16;
export const FILTER_BYTES: usize = 24;

/** SQLITE_INDEX_CONSTRAINT_EQ */
export const EQ: u32 = 2;
