/**
 * SQLite's files as pages in its own memory, which know what was written since the last checkpoint,
 * and of which the coldest go to scratch disk when there are more than the bound. Journals and
 * temporary files are not opened here: SQLite keeps them in memory (`journal_mode=MEMORY`,
 * `temp_store=MEMORY`), since what is lost with the process is restored from a checkpoint.
 *
 * File, 64 bytes, made by the host; the VFS finds it by its name:
 *
 *    0  u32 next File        4  u32 name, zero-terminated     8  u32 number, for the scratch disk
 *   12  u32 pageCount       16  u32 pages    8 bytes each: u32 frame + 1 or 0, u32 bits (below)
 *   20  u32 pagesCapacity   24  u32 frames   12 bytes each: u32 address, u32 page, u32 bits
 *   28  u32 frameCount      32  u32 framesCapacity           36  u32 framesMax
 *   40  u32 hand            where the search for a cold frame goes on
 *   44  u32 free            frame + 1 of the first unused one; its page field has the next
 *   48  u32 dirtyCount      pages written since the last checkpoint
 *
 * Bits of a page: 1 dirty, 2 on scratch. Bits of a frame: 1 used since the hand passed, 2 newer
 * than scratch. A page that is neither in a frame nor on scratch is all zeros.
 *
 * sqlite3_file as ours: u32 methods, u32 File. sqlite3_vfs's client data: u32 methods, u32 File.
 */
import { free, malloc, OK, realloc } from "./parts/sqlite";

/** Reads or writes the page of a file on scratch disk: 0, or another number when it failed. */
@external("env", "scratchRead")
declare function scratchRead(file: u32, page: u32, to: usize): i32;
@external("env", "scratchWrite")
declare function scratchWrite(file: u32, page: u32, from: usize): i32;
/** Milliseconds since 1970. */
@external("env", "emscripten_date_now")
declare function dateNow(): f64;

const PAGE_SHIFT: u32 = 12;
const PAGE_BYTES: u32 = 4096;

const FILE_NAME: usize = 4;
const FILE_NUMBER: usize = 8;
const PAGE_COUNT: usize = 12;
const PAGES: usize = 16;
const PAGES_CAPACITY: usize = 20;
const FRAMES: usize = 24;
const FRAME_COUNT: usize = 28;
const FRAMES_CAPACITY: usize = 32;
const FRAMES_MAX: usize = 36;
const HAND: usize = 40;
const FREE: usize = 44;
const DIRTY_COUNT: usize = 48;

const PAGE_BITS: usize = 4;
const DIRTY: u32 = 1;
const ON_SCRATCH: u32 = 2;

const FRAME_PAGE: usize = 4;
const FRAME_BITS: usize = 8;
const FRAME_SIZE: usize = 12;
const USED: u32 = 1;
const NEWER: u32 = 2;

const CANT_OPEN: i32 = 14;
const NOT_FOUND: i32 = 12;
const IO_ERROR: i32 = 10;
const IO_SHORT_READ: i32 = 522;
/** SQLite makes NOMEM of it. */
const IO_NOMEM: i32 = 3082;
const OPEN_MAIN_DB: i32 = 0x100;
const POWERSAFE_OVERWRITE: i32 = 0x1000;

/** Why `frameFor` gave 0. */
let failure: i32 = 0;

export function open(vfs: usize, name: usize, file: usize, flags: i32, flagsOut: usize): i32 {
  // Without methods, SQLite does not close what failed to open.
  store<u32>(file, 0);
  if ((flags & OPEN_MAIN_DB) == 0 || name == 0) return CANT_OPEN;
  const data = <usize>load<u32>(vfs, 20);
  let record = <usize>load<u32>(data, 4);
  while (record != 0 && !isSameName(name, load<u32>(record, FILE_NAME))) {
    record = <usize>load<u32>(record);
  }
  if (record == 0) return CANT_OPEN;
  store<u32>(file, load<u32>(data));
  store<u32>(file, <u32>record, 4);
  if (flagsOut != 0) store<i32>(flagsOut, flags);
  return OK;
}

function isSameName(a: usize, b: usize): bool {
  let at: usize = 0;
  while (load<u8>(a + at) == load<u8>(b + at)) {
    if (load<u8>(a + at) == 0) return true;
    at++;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function recordOf(file: usize): usize {
  return <usize>load<u32>(file, 4);
}

// @ts-ignore: decorator
@inline
function pageAt(record: usize, page: u32): usize {
  return <usize>load<u32>(record, PAGES) + ((<usize>page) << 3);
}

// @ts-ignore: decorator
@inline
function frameAt(record: usize, frame: u32): usize {
  return <usize>load<u32>(record, FRAMES) + <usize>frame * FRAME_SIZE;
}

/** A multiple of the page's size, or less: the header of the first page. */
export function read(file: usize, to: usize, bytes: i32, position: i64): i32 {
  const record = recordOf(file);
  const size = <i64>load<u32>(record, PAGE_COUNT) << PAGE_SHIFT;
  let left = <u32>bytes;
  let at = position;
  let target = to;
  while (left > 0) {
    if (at >= size) {
      memory.fill(target, 0, left);
      return IO_SHORT_READ;
    }
    const within = <u32>at & (PAGE_BYTES - 1);
    const part = left < PAGE_BYTES - within ? left : PAGE_BYTES - within;
    const frame = frameFor(record, <u32>(at >> PAGE_SHIFT));
    if (frame == 0) return failure;
    memory.copy(target, frame + within, part);
    target += part;
    at += part;
    left -= part;
  }
  return OK;
}

export function write(file: usize, from: usize, bytes: i32, position: i64): i32 {
  const record = recordOf(file);
  let left = <u32>bytes;
  let at = position;
  let source = from;
  while (left > 0) {
    const within = <u32>at & (PAGE_BYTES - 1);
    const part = left < PAGE_BYTES - within ? left : PAGE_BYTES - within;
    const page = <u32>(at >> PAGE_SHIFT);
    const code = writePart(record, page, within, source, part);
    if (code != OK) return code;
    const entry = pageAt(record, page);
    const bits = load<u32>(entry, PAGE_BITS);
    if ((bits & DIRTY) == 0) {
      store<u32>(entry, bits | DIRTY, PAGE_BITS);
      store<u32>(record, load<u32>(record, DIRTY_COUNT) + 1, DIRTY_COUNT);
    }
    source += part;
    at += part;
    left -= part;
  }
  return OK;
}

function writePart(record: usize, page: u32, within: u32, from: usize, bytes: u32): i32 {
  if (page >= load<u32>(record, PAGE_COUNT) && !growTo(record, page + 1)) return IO_NOMEM;
  const frame = frameFor(record, page);
  if (frame == 0) return failure;
  memory.copy(frame + within, from, bytes);
  const descriptor = frameAt(record, load<u32>(pageAt(record, page)) - 1);
  store<u32>(descriptor, load<u32>(descriptor, FRAME_BITS) | NEWER, FRAME_BITS);
  return OK;
}

/** Room in the page table for so many pages, which are zeros and not dirty. */
function growTo(record: usize, pageCount: u32): bool {
  const had = load<u32>(record, PAGES_CAPACITY);
  if (pageCount > had) {
    const capacity = pageCount > had * 2 ? pageCount + 64 : had * 2;
    const pages = realloc(load<u32>(record, PAGES), (<usize>capacity) << 3);
    if (pages == 0) return false;
    memory.fill(pages + ((<usize>had) << 3), 0, (<usize>(capacity - had)) << 3);
    store<u32>(record, <u32>pages, PAGES);
    store<u32>(record, capacity, PAGES_CAPACITY);
  }
  store<u32>(record, pageCount, PAGE_COUNT);
  return true;
}

/** Address of the frame with the page, which is brought in if need be; 0: see `failure`. */
function frameFor(record: usize, page: u32): usize {
  const entry = pageAt(record, page);
  const known = load<u32>(entry);
  if (known != 0) {
    const descriptor = frameAt(record, known - 1);
    store<u32>(descriptor, load<u32>(descriptor, FRAME_BITS) | USED, FRAME_BITS);
    return <usize>load<u32>(descriptor);
  }
  const frame = freeFrame(record);
  if (frame == 0) return 0;
  const descriptor = frameAt(record, frame - 1);
  const address = <usize>load<u32>(descriptor);
  if ((load<u32>(entry, PAGE_BITS) & ON_SCRATCH) == 0) {
    memory.fill(address, 0, PAGE_BYTES);
  } else if (scratchRead(load<u32>(record, FILE_NUMBER), page, address) != 0) {
    giveBack(record, frame);
    failure = IO_ERROR;
    return 0;
  }
  store<u32>(descriptor, page, FRAME_PAGE);
  store<u32>(descriptor, USED, FRAME_BITS);
  store<u32>(entry, frame);
  return address;
}

function giveBack(record: usize, frame: u32): void {
  const descriptor = frameAt(record, frame - 1);
  store<u32>(descriptor, load<u32>(record, FREE), FRAME_PAGE);
  store<u32>(descriptor, 0, FRAME_BITS);
  store<u32>(record, frame, FREE);
}

/** Number + 1 of a frame that holds no page; 0: see `failure`. */
function freeFrame(record: usize): u32 {
  const unused = load<u32>(record, FREE);
  if (unused != 0) {
    store<u32>(record, load<u32>(frameAt(record, unused - 1), FRAME_PAGE), FREE);
    return unused;
  }
  const count = load<u32>(record, FRAME_COUNT);
  if (count >= load<u32>(record, FRAMES_MAX)) return evict(record);
  if (count == load<u32>(record, FRAMES_CAPACITY)) {
    const capacity = count == 0 ? 64 : count * 2;
    const frames = realloc(load<u32>(record, FRAMES), <usize>capacity * FRAME_SIZE);
    if (frames == 0) {
      failure = IO_NOMEM;
      return 0;
    }
    store<u32>(record, <u32>frames, FRAMES);
    store<u32>(record, capacity, FRAMES_CAPACITY);
  }
  const address = malloc(PAGE_BYTES);
  if (address == 0) {
    failure = IO_NOMEM;
    return 0;
  }
  const descriptor = frameAt(record, count);
  store<u32>(descriptor, <u32>address);
  store<u32>(descriptor, 0, FRAME_BITS);
  store<u32>(record, count + 1, FRAME_COUNT);
  return count + 1;
}

/** Takes the first frame that was not used since the hand last passed it. */
function evict(record: usize): u32 {
  const count = load<u32>(record, FRAME_COUNT);
  let hand = load<u32>(record, HAND);
  while (true) {
    if (hand >= count) hand = 0;
    const descriptor = frameAt(record, hand);
    const bits = load<u32>(descriptor, FRAME_BITS);
    hand++;
    if ((bits & USED) != 0) {
      store<u32>(descriptor, bits & ~USED, FRAME_BITS);
      continue;
    }
    store<u32>(record, hand, HAND);
    const page = load<u32>(descriptor, FRAME_PAGE);
    const entry = pageAt(record, page);
    if ((bits & NEWER) != 0) {
      if (scratchWrite(load<u32>(record, FILE_NUMBER), page, load<u32>(descriptor)) != 0) {
        failure = IO_ERROR;
        return 0;
      }
      store<u32>(entry, load<u32>(entry, PAGE_BITS) | ON_SCRATCH, PAGE_BITS);
    }
    store<u32>(entry, 0);
    return hand;
  }
}

export function truncate(file: usize, size: i64): i32 {
  const record = recordOf(file);
  const pageCount = <u32>((size + PAGE_BYTES - 1) >> PAGE_SHIFT);
  cut(record, pageCount);
  return OK;
}

/** Forgets the pages from `pageCount` on. */
function cut(record: usize, pageCount: u32): void {
  for (let page = pageCount; page < load<u32>(record, PAGE_COUNT); page++) {
    const entry = pageAt(record, page);
    const frame = load<u32>(entry);
    if (frame != 0) giveBack(record, frame);
    if ((load<u32>(entry, PAGE_BITS) & DIRTY) != 0) {
      store<u32>(record, load<u32>(record, DIRTY_COUNT) - 1, DIRTY_COUNT);
    }
    store<u64>(entry, 0);
  }
  if (pageCount < load<u32>(record, PAGE_COUNT)) store<u32>(record, pageCount, PAGE_COUNT);
}

export function fileSize(file: usize, sizeOut: usize): i32 {
  store<i64>(sizeOut, <i64>load<u32>(recordOf(file), PAGE_COUNT) << PAGE_SHIFT);
  return OK;
}

/** xClose: what the file holds stays. */
export function close(file: usize): i32 {
  return OK;
}

/** xSync, xLock, xUnlock: one connection, and no disk. */
export function accept(file: usize, argument: i32): i32 {
  return OK;
}

export function checkReservedLock(file: usize, out: usize): i32 {
  store<i32>(out, 0);
  return OK;
}

export function fileControl(file: usize, operation: i32, argument: usize): i32 {
  return NOT_FOUND;
}

export function sectorSize(file: usize): i32 {
  return PAGE_BYTES;
}

export function deviceCharacteristics(file: usize): i32 {
  return POWERSAFE_OVERWRITE;
}

/** There is never a journal to be found. */
export function access(vfs: usize, name: usize, flags: i32, out: usize): i32 {
  store<i32>(out, 0);
  return OK;
}

export function remove(vfs: usize, name: usize, syncDirectory: i32): i32 {
  return OK;
}

export function fullPathname(vfs: usize, name: usize, bytes: i32, out: usize): i32 {
  for (let at: i32 = 0; at < bytes; at++) {
    const byte = load<u8>(name + at);
    store<u8>(out + at, byte);
    if (byte == 0) return OK;
  }
  return CANT_OPEN;
}

export function randomness(vfs: usize, bytes: i32, out: usize): i32 {
  memory.fill(out, 0, bytes);
  return bytes;
}

export function sleep(vfs: usize, micros: i32): i32 {
  return micros;
}

/** As a Julian day. */
export function currentTime(vfs: usize, out: usize): i32 {
  store<f64>(out, dateNow() / 86400000 + 2440587.5);
  return OK;
}

export function lastError(vfs: usize, bytes: i32, out: usize): i32 {
  return OK;
}

/** The first page from `start` on that is dirty, or any page if `isFull`; past the end: none. */
export function nextPage(record: usize, start: u32, isFull: i32): u32 {
  const count = load<u32>(record, PAGE_COUNT);
  let page = start;
  if (isFull == 0) {
    while (page < count && (load<u32>(pageAt(record, page), PAGE_BITS) & DIRTY) == 0) page++;
  }
  return page;
}

/** Copies a page, wherever it is, without making it warm. */
export function copyPage(record: usize, page: u32, to: usize): i32 {
  const entry = pageAt(record, page);
  const frame = load<u32>(entry);
  if (frame != 0) {
    memory.copy(to, load<u32>(frameAt(record, frame - 1)), PAGE_BYTES);
  } else if ((load<u32>(entry, PAGE_BITS) & ON_SCRATCH) == 0) {
    memory.fill(to, 0, PAGE_BYTES);
  } else {
    return scratchRead(load<u32>(record, FILE_NUMBER), page, to);
  }
  return OK;
}

/** From here on no page is dirty. */
export function clearDirty(record: usize): void {
  if (load<u32>(record, DIRTY_COUNT) == 0) return;
  for (let page: u32 = 0; page < load<u32>(record, PAGE_COUNT); page++) {
    const entry = pageAt(record, page);
    store<u32>(entry, load<u32>(entry, PAGE_BITS) & ~DIRTY, PAGE_BITS);
  }
  store<u32>(record, 0, DIRTY_COUNT);
}

/** Restoring: makes the file so long, and puts a page there that is not dirty. */
export function resize(record: usize, pageCount: u32): i32 {
  cut(record, pageCount);
  return growTo(record, pageCount) ? OK : IO_NOMEM;
}

export function putPage(record: usize, page: u32, from: usize): i32 {
  return writePart(record, page, 0, from, PAGE_BYTES);
}

/** Gives all memory of the file back, but for its record. */
export function release(record: usize): void {
  for (let frame: u32 = 0; frame < load<u32>(record, FRAME_COUNT); frame++) {
    free(load<u32>(frameAt(record, frame)));
  }
  free(load<u32>(record, FRAMES));
  free(load<u32>(record, PAGES));
}
