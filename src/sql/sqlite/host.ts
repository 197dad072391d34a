/**
 * SQLite as `@sqlite.org/sqlite-wasm` compiles it, without the JavaScript that comes with it, which
 * compiles WebAssembly at run time, as workerd forbids. What SQLite needs of a system is little: a
 * memory that grows, and clocks. It opens no files here (`sqlite/vfs.ts` keeps pages in memory), so
 * all else answers ENOSYS.
 *
 * One host is one query task: an instance of SQLite, its memory, and kernels linked to both.
 */
import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/platform.ts";
import { StreamError } from "../../base/stream-error.ts";
import { type SqliteExports, sqliteCode } from "./exports.ts";
import { SqliteMemory } from "./memory.ts";
import type { SqlKernelName, SqlModules } from "./modules.ts";

const pageBytes = 65536;

/** What the module's import of its memory asks for. */
const initialPages = 128;
const maximumPages = 32768;

/** The least bound that leaves a query anything to work with. */
export const memoryBytesMin = initialPages * pageBytes;

/** Emscripten's number of ENOSYS: system calls give it negated, WASI calls as it is. */
const notSupported = 52;

export interface SqliteHostOptions {
  readonly modules: SqlModules;
  readonly clock: Clock;
  /** Bound of the whole memory of the task: 8 MiB to 2 GiB. */
  readonly memoryBytesMax: number;
}

type Imported = Record<string, WebAssembly.Memory | CallableFunction>;
type Imports = Record<string, Imported>;

export class SqliteHost {
  readonly exports: SqliteExports;
  readonly memory: SqliteMemory;
  readonly clock: Clock;
  /** Why a page could not be read from or written to scratch disk last. */
  scratchFailure: unknown = null;
  readonly #modules: SqlModules;
  readonly #memory: WebAssembly.Memory;

  constructor(options: SqliteHostOptions) {
    const { memoryBytesMax } = options;
    if (!(memoryBytesMax >= memoryBytesMin && memoryBytesMax <= maximumPages * pageBytes)) {
      const message =
        `Cannot start a query with ${memoryBytesMax} bytes of memory: ` +
        `at least ${memoryBytesMin}, at most ${maximumPages * pageBytes}`;
      throw new StreamError("invalid_config", message);
    }
    this.#modules = options.modules;
    this.clock = options.clock;
    this.#memory = new WebAssembly.Memory({ initial: initialPages, maximum: maximumPages });
    let shared: SqliteMemory | undefined;
    const imports = importsOf(options, this.#memory, () => shared?.renew());
    const instance = new WebAssembly.Instance(options.modules.sqlite3, imports);
    this.exports = instance.exports as unknown as SqliteExports;
    shared = new SqliteMemory({
      memory: this.#memory,
      allocator: this.exports,
      bytesMax: memoryBytesMax,
    });
    this.memory = shared;
    this.exports.__wasm_call_ctors();
    const code = this.exports.sqlite3_initialize();
    assert(code === sqliteCode.ok, `SQLite starts (${code})`);
  }

  /**
   * Instantiates a kernel on this memory. It may import any function that SQLite exports; `imports`
   * adds to them.
   */
  link<Exports>(name: SqlKernelName, imports: Imported = {}): Exports {
    const env = { ...(this.exports as unknown as Imported), ...imports, memory: this.#memory };
    return new WebAssembly.Instance(this.#modules[name], { env }).exports as Exports;
  }

  /**
   * The C function pointer of a kernel's exported function; SQLite takes no JavaScript function.
   * A pointer is for ever: make each once.
   */
  functionPointer(callback: unknown): number {
    const table = this.exports.__indirect_function_table;
    const pointer = table.grow(1);
    table.set(pointer, callback);
    return pointer;
  }
}

function importsOf(
  options: SqliteHostOptions,
  memory: WebAssembly.Memory,
  onGrown: () => void,
): Imports {
  const provided = systemCalls(options, memory, onGrown);
  const imports: Imports = {};
  for (const { module, name, kind } of WebAssembly.Module.imports(options.modules.sqlite3)) {
    const space = imports[module] ?? {};
    imports[module] = space;
    const refusal = module === "env" ? -notSupported : notSupported;
    space[name] = kind === "memory" ? memory : (provided[name] ?? (() => refusal));
  }
  return imports;
}

function systemCalls(
  { clock, memoryBytesMax }: SqliteHostOptions,
  memory: WebAssembly.Memory,
  onGrown: () => void,
): Imported {
  const view = () => new DataView(memory.buffer);
  return {
    /** The allocator asks for a memory of at least `wanted` bytes; 0 makes it answer NOMEM. */
    emscripten_resize_heap(wanted: number): number {
      const least = wanted >>> 0;
      const bytes = memory.buffer.byteLength;
      const most = Math.floor(memoryBytesMax / pageBytes) * pageBytes;
      if (least > most) return 0;
      // A quarter more than there is, so that steady growth does not detach views every time.
      const target = Math.min(Math.max(least, bytes + (bytes >>> 2)), most);
      // Nobody else makes it grow: kernels have their memory from SQLite's allocator.
      const hasGrown = grow(memory, target - bytes) || grow(memory, least - bytes);
      if (hasGrown) onGrown();
      return hasGrown ? 1 : 0;
    },
    emscripten_get_heap_max: () => memoryBytesMax,
    emscripten_date_now: () => clock.now(),
    emscripten_get_now: () => clock.monotonic(),
    clock_time_get(_clock: number, _precision: bigint, out: number): number {
      view().setBigInt64(out, BigInt(Math.trunc(clock.now())) * 1_000_000n, true);
      return 0;
    },
    environ_sizes_get(count: number, bytes: number): number {
      view().setUint32(count, 0, true);
      view().setUint32(bytes, 0, true);
      return 0;
    },
    environ_get: () => 0,
    _tzset_js: () => {},
    _localtime_js: () => {},
  };
}

function grow(memory: WebAssembly.Memory, bytes: number): boolean {
  try {
    memory.grow(Math.ceil(bytes / pageBytes));
    return true;
  } catch {
    return false;
  }
}
