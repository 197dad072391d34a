/**
 * What of sqlite3.wasm's exports the engine calls from JavaScript: C names, addresses and flags as
 * numbers, 64-bit integers as bigints. Kernels import more of them.
 */
export interface SqliteExports {
  readonly __indirect_function_table: WebAssembly.Table;
  __wasm_call_ctors(): void;
  malloc(bytes: number): number;
  free(address: number): void;
  sqlite3_initialize(): number;
  sqlite3_libversion(): number;
  sqlite3_open_v2(name: number, out: number, flags: number, vfs: number): number;
  sqlite3_close_v2(db: number): number;
  sqlite3_errmsg(db: number): number;
  sqlite3_errstr(code: number): number;
  sqlite3__wasm_db_config_ip(db: number, option: number, on: number, out: number): number;
  sqlite3_prepare_v3(
    db: number,
    sql: number,
    bytes: number,
    flags: number,
    out: number,
    tail: number,
  ): number;
  sqlite3_step(statement: number): number;
  sqlite3_reset(statement: number): number;
  sqlite3_clear_bindings(statement: number): number;
  sqlite3_finalize(statement: number): number;
  sqlite3_bind_parameter_count(statement: number): number;
  sqlite3_bind_null(statement: number, index: number): number;
  sqlite3_bind_int64(statement: number, index: number, value: bigint): number;
  sqlite3_bind_double(statement: number, index: number, value: number): number;
  sqlite3_bind_text(s: number, index: number, at: number, bytes: number, free: number): number;
  sqlite3_bind_blob(s: number, index: number, at: number, bytes: number, free: number): number;
  sqlite3_column_count(statement: number): number;
  sqlite3_column_name(statement: number, index: number): number;
  sqlite3_column_type(statement: number, index: number): number;
  sqlite3_column_int64(statement: number, index: number): bigint;
  sqlite3_column_double(statement: number, index: number): number;
  sqlite3_column_blob(statement: number, index: number): number;
  sqlite3_column_bytes(statement: number, index: number): number;
  sqlite3_changes64(db: number): bigint;
  sqlite3_get_autocommit(db: number): number;
  sqlite3_interrupt(db: number): void;
  sqlite3_create_module_v2(
    db: number,
    name: number,
    module: number,
    data: number,
    destroy: number,
  ): number;
  sqlite3_create_function_v2(
    db: number,
    name: number,
    argCount: number,
    flags: number,
    data: number,
    call: number,
    step: number,
    final: number,
    destroy: number,
  ): number;
  sqlite3_vfs_register(vfs: number, isDefault: number): number;
  sqlite3_vfs_unregister(vfs: number): number;
  sqlite3_user_data(context: number): number;
  sqlite3_value_type(value: number): number;
  sqlite3_value_int64(value: number): bigint;
  sqlite3_value_double(value: number): number;
  sqlite3_value_blob(value: number): number;
  sqlite3_value_bytes(value: number): number;
  sqlite3_result_null(context: number): void;
  sqlite3_result_int64(context: number, value: bigint): void;
  sqlite3_result_double(context: number, value: number): void;
  sqlite3_result_text(context: number, at: number, bytes: number, free: number): void;
  sqlite3_result_blob(context: number, at: number, bytes: number, free: number): void;
  sqlite3_result_error_nomem(context: number): void;
  sqlite3_result_error(context: number, at: number, bytes: number): void;
}

/** Result codes. */
export const sqliteCode = {
  ok: 0,
  error: 1,
  noMemory: 7,
  ioError: 10,
  row: 100,
  done: 101,
} as const;

/** Types of values. */
export const sqliteType = { integer: 1, real: 2, text: 3, blob: 4, null: 5 } as const;

/** As the last argument of a bind or a result: SQLite copies the bytes before it returns. */
export const transient = -1;
