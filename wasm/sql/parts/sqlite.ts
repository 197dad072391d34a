/** SQLite's C functions that kernels call, and its constants. Pointers are 32 bits wide. */

@external("env", "malloc")
export declare function malloc(bytes: usize): usize;
@external("env", "realloc")
export declare function realloc(address: usize, bytes: usize): usize;
@external("env", "free")
export declare function free(address: usize): void;
/** What SQLite is to free must come from its own allocator. */
@external("env", "sqlite3_malloc")
export declare function sqliteMalloc(bytes: i32): usize;
@external("env", "sqlite3_free")
export declare function sqliteFree(address: usize): void;

@external("env", "sqlite3_declare_vtab")
export declare function declareVtab(db: usize, sql: usize): i32;
@external("env", "sqlite3_vtab_in")
export declare function vtabIn(info: usize, constraint: i32, handle: i32): i32;
@external("env", "sqlite3_vtab_collation")
export declare function vtabCollation(info: usize, constraint: i32): usize;

@external("env", "sqlite3_value_type")
export declare function valueType(value: usize): i32;
@external("env", "sqlite3_value_int64")
export declare function valueInt64(value: usize): i64;
@external("env", "sqlite3_value_double")
export declare function valueDouble(value: usize): f64;
@external("env", "sqlite3_value_blob")
export declare function valueBlob(value: usize): usize;
@external("env", "sqlite3_value_text")
export declare function valueText(value: usize): usize;
@external("env", "sqlite3_value_bytes")
export declare function valueBytes(value: usize): i32;

@external("env", "sqlite3_result_null")
export declare function resultNull(context: usize): void;
@external("env", "sqlite3_result_int64")
export declare function resultInt64(context: usize, value: i64): void;
@external("env", "sqlite3_result_double")
export declare function resultDouble(context: usize, value: f64): void;
@external("env", "sqlite3_result_text")
export declare function resultText(context: usize, at: usize, bytes: i32, destroy: isize): void;
@external("env", "sqlite3_result_blob")
export declare function resultBlob(context: usize, at: usize, bytes: i32, destroy: isize): void;
@external("env", "sqlite3_result_error")
export declare function resultError(context: usize, at: usize, bytes: i32): void;
@external("env", "sqlite3_result_error_nomem")
export declare function resultErrorNomem(context: usize): void;
@external("env", "sqlite3_user_data")
export declare function userData(context: usize): usize;

@external("env", "sqlite3_step")
export declare function step(statement: usize): i32;
@external("env", "sqlite3_column_type")
export declare function columnType(statement: usize, index: i32): i32;
@external("env", "sqlite3_column_int64")
export declare function columnInt64(statement: usize, index: i32): i64;
@external("env", "sqlite3_column_double")
export declare function columnDouble(statement: usize, index: i32): f64;
@external("env", "sqlite3_column_blob")
export declare function columnBlob(statement: usize, index: i32): usize;
@external("env", "sqlite3_column_bytes")
export declare function columnBytes(statement: usize, index: i32): i32;

export const OK: i32 = 0;
export const NOMEM: i32 = 7;
export const ROW: i32 = 100;
export const DONE: i32 = 101;

/** Types of values. */
export const INTEGER: i32 = 1;
export const FLOAT: i32 = 2;
export const TEXT: i32 = 3;
export const BLOB: i32 = 4;
export const NULL: i32 = 5;

/** Destructors: the bytes stay where they are; SQLite copies them at once. */
export const STATIC: isize = 0;
export const TRANSIENT: isize = -1;
