/** SQLite and its kernels on workerd, which takes WebAssembly only as static imports. */
import sqlite3 from "@sqlite.org/sqlite-wasm/sqlite3.wasm";
import aggregate from "../../../wasm/build/sql/aggregate.wasm";
import checksum from "../../../wasm/build/sql/checksum.wasm";
import collect from "../../../wasm/build/sql/collect.wasm";
import emit from "../../../wasm/build/sql/emit.wasm";
import functions from "../../../wasm/build/sql/functions.wasm";
import json from "../../../wasm/build/sql/json.wasm";
import keep from "../../../wasm/build/sql/keep.wasm";
import lateness from "../../../wasm/build/sql/lateness.wasm";
import session from "../../../wasm/build/sql/session.wasm";
import table from "../../../wasm/build/sql/table.wasm";
import vector from "../../../wasm/build/sql/vector.wasm";
import vfs from "../../../wasm/build/sql/vfs.wasm";
import walk from "../../../wasm/build/sql/walk.wasm";
import type { SqlModules } from "../../sql/sqlite/modules.ts";

export const sqlModules: SqlModules = {
  sqlite3,
  aggregate,
  checksum,
  collect,
  emit,
  functions,
  json,
  keep,
  lateness,
  session,
  table,
  vector,
  vfs,
  walk,
};
