/** SQLite and its kernels on workerd, which takes WebAssembly only as static imports. */
import sqlite3 from "@sqlite.org/sqlite-wasm/sqlite3.wasm";
import collect from "../../../wasm/build/sql/collect.wasm";
import emit from "../../../wasm/build/sql/emit.wasm";
import functions from "../../../wasm/build/sql/functions.wasm";
import table from "../../../wasm/build/sql/table.wasm";
import vfs from "../../../wasm/build/sql/vfs.wasm";
import type { SqlModules } from "../../sql/sqlite/modules.ts";

export const sqlModules: SqlModules = { sqlite3, table, collect, emit, functions, vfs };
