/**
 * Where things lie in the structures of the state kernels. All little-endian; addresses are u32;
 * a list is three words (heap.ts). `src/sql/kernel/state-layout.ts` writes layouts: keep in step.
 *
 * A state holds panes. A pane holds entries (one per key; of sessions one per session), which are
 * the rows of a Table with the entry's size as stride, a hash table to find them (8-byte slots: u32
 * entry number + 1, u32 hash), an arena for text and blobs (slots hold offsets in it, so that it
 * may move), and nodes for values that must be counted one by one (distinct.ts).
 */

// State
export const S_LAYOUT: usize = 0;
/** Why the state failed; 0: it has not. */
export const S_FAILED: usize = 4;
/** i64 bytes held, i64 limit (0: none). */
export const S_BYTES: usize = 8;
export const S_LIMIT: usize = 16;
/** Raised by each checkpoint; entries and nodes changed since carry it. From 1. */
export const S_CHECKPOINT: usize = 24;
/** Raised by each checkpoint and by each taking of changes; entries touched since carry it. */
export const S_TOUCH: usize = 28;
export const S_SEED: usize = 32;
/** i64: rows added ever, which is the order of arrival. */
export const S_SEQUENCE: usize = 40;
/** i64 size of panes (0: one pane for all), i64 where they start. */
export const S_SIZE: usize = 48;
export const S_OFFSET: usize = 56;
/** List of panes, sorted by start. */
export const S_PANES: usize = 64;
/** The pane of the row before. */
export const S_LAST_PANE: usize = 76;
/** What one block of rows needs: see the BLOCK offsets. */
export const S_BLOCK: usize = 80;
/** List of bytes: a checkpoint as it is written. */
export const S_BLOB: usize = 84;
/** Lists of words: selections of results. */
export const S_SELECTION: usize = 96;
export const S_SELECTION2: usize = 108;
/** Session: i64 gap, i64 width and position of wheel buckets, list of buckets, list of results. */
export const S_GAP: usize = 120;
export const S_TICK: usize = 128;
export const S_WHEEL: usize = 136;
export const S_BUCKETS: usize = 144;
export const S_RESULTS: usize = 156;
/** Room for a column per key and per accumulator, and three more. */
export const S_COLUMNS: usize = 168;
/** i64: how long sessions that have ended still take rows. */
export const S_LATENESS: usize = 176;
/** Table that holds the result of a merge, and entry numbers of a checkpoint. */
export const S_MERGED: usize = 184;
export const S_NUMBERS: usize = 188;
/** List of columns: those of the rows that are added, see `ownColumns`. */
export const S_INPUT: usize = 208;
/** u32: what the next group is called, where groups have names (L_NAME). */
export const S_NEXT_NAME: usize = 220;
/** How many panes there are of which a piece has left (pieces.ts). */
export const S_PIECED: usize = 224;
export const STATE_BYTES: usize = 232;

// Block: scratch for BLOCK rows
export const BLOCK: u32 = 128;
export const B_ROWS: usize = 0;
export const B_ENTRIES: usize = 512;
export const B_PANES: usize = 1024;
export const B_WEIGHTS: usize = 1536;
export const B_PICKED: usize = 2048;
export const B_IDENTITY: usize = 2560;
export const B_HASHES: usize = 3072;
/** u32 address of each key's column. */
export const B_KEYS: usize = 4096;
export const KEYS_MAX: u32 = 256;
export const B_HISTOGRAM: usize = 5120;
/** u32 per row: bits of the aggregates of a set that count it, its hash, and its segment. */
export const B_MASKS: usize = 5632;
export const B_MEMBER_HASHES: usize = 6144;
export const B_SEGMENTS: usize = 6656;
/** u32 number of each row's entry, while a set is folded; u32 slot of its counts by their bits. */
export const B_NUMBERS: usize = 7168;
export const B_COUNTS: usize = 7680;
export const BLOCK_BYTES: usize = 7744;

// Layout
export const L_ENTRY_BYTES: usize = 0;
export const L_KEY_COUNT: usize = 4;
export const L_ACCUMULATOR_COUNT: usize = 8;
export const L_FIELD_COUNT: usize = 12;
/** Offset of an i64 in the entry that counts its rows; 0: none. */
export const L_ROWS: usize = 16;
export const L_FLAGS: usize = 20;
export const L_KEYS: usize = 24;
export const L_ACCUMULATORS: usize = 28;
export const L_FIELDS: usize = 32;
/** Address of an entry that has seen no row. */
export const L_TEMPLATE: usize = 36;
/** Offsets of a session's i64 start, i64 end, i64 creation, u32 next of its key, u32 in bucket. */
export const L_START: usize = 40;
export const L_END: usize = 44;
export const L_CREATED: usize = 48;
export const L_CHAIN: usize = 52;
export const L_BUCKET: usize = 56;
/** u32 1: the session's row is out, so that a change must take it back. */
export const L_FIRED: usize = 60;
/**
 * Offset of a u32 by which a group is known wherever it is: a number in the order in which groups
 * appeared. 0: it is known by the number of its entry.
 */
export const L_NAME: usize = 64;

/** Keeps what entries were before they were touched. */
export const TRACKS_CHANGES: u32 = 1;
/** There is one key, an integer. */
export const INTEGER_KEY: u32 = 2;

// Key of a layout
export const K_KIND: usize = 0;
export const K_SLOT: usize = 4;
export const K_NULL: usize = 8;
export const K_COLUMN: usize = 12;
export const KEY_BYTES: usize = 16;

// Accumulator of a layout
export const A_OP: usize = 0;
export const A_KIND: usize = 4;
export const A_SLOT: usize = 8;
export const A_NULL: usize = 12;
/** Input columns + 1; 0: none. */
export const A_COLUMN: usize = 16;
export const A_FILTER: usize = 20;
/** Offset of what the accumulator knows beside its slot: a count, an order, registers. */
export const A_HIDDEN: usize = 24;
/** Offset of the u32 first node of its values; 0: it counts no values one by one. */
export const A_NODES: usize = 28;
/** Offset of a byte that says that the slot must be found again among the nodes. */
export const A_STALE: usize = 32;
/** Number + 1 of the set that its DISTINCT values are in, and its bit there; 0: none (sets.ts). */
export const A_SET: usize = 36;
export const A_BIT: usize = 40;
export const ACCUMULATOR_BYTES: usize = 44;

export const OP_COUNT: u32 = 0;
export const OP_SUM_INTEGER: u32 = 1;
export const OP_SUM_REAL: u32 = 2;
export const OP_SUM_WIDE: u32 = 3;
export const OP_SUM_SQUARES: u32 = 4;
export const OP_MIN: u32 = 5;
export const OP_MAX: u32 = 6;
export const OP_FIRST: u32 = 7;
export const OP_LAST: u32 = 8;
export const OP_APPROXIMATE: u32 = 9;

// Field of a layout: what a checkpoint holds of an entry
export const F_SORT: usize = 0;
export const F_OFFSET: usize = 4;
export const F_ACCUMULATOR: usize = 8;
export const FIELD_BYTES: usize = 12;
export const FIELD_BYTE: u32 = 0;
export const FIELD_EIGHT: u32 = 1;
export const FIELD_TEXT: u32 = 2;
export const FIELD_REGISTERS: u32 = 3;
export const FIELD_SIXTEEN: u32 = 4;

// Entry
export const E_HASH: usize = 0;
export const E_TOUCH: usize = 4;
/**
 * Number + 1 of its image among the pane's; 0: it has none. In a pane of which a piece has left, the
 * last of its addends.
 */
export const E_IMAGE: usize = 8;
/** Checkpoint since which it is dirty, or DEAD. */
export const E_CHECKPOINT: usize = 12;
export const DEAD: u32 = 0xffffffff;

// Pane
export const P_START: usize = 0;
export const P_SLOTS: usize = 8;
export const P_SLOT_COUNT: usize = 12;
export const P_DEAD: usize = 16;
export const P_GARBAGE: usize = 20;
/** 1: the next checkpoint holds the pane whole. */
export const P_WHOLE: usize = 24;
export const P_LIVE_NODES: usize = 28;
export const P_ENTRIES: usize = 32;
export const P_ARENA: usize = 44;
/** Lists of entry numbers: dirty since the checkpoint; touched since changes were taken; removed. */
export const P_DIRTY: usize = 56;
export const P_TOUCHED: usize = 68;
export const P_REMOVED: usize = 80;
export const P_IMAGES: usize = 92;
export const P_NODES: usize = 104;
export const P_DIRTY_NODES: usize = 116;
/** Orders of arrival: 16 bytes, i64 order, u32 next + 1. */
export const P_QUEUE: usize = 128;
export const P_FREE_NODE: usize = 140;
export const P_FREE_QUEUE: usize = 144;
export const P_BUCKETS: usize = 148;
export const P_BUCKET_COUNT: usize = 152;
/** First free entry + 1 (sessions): the next one's stands in its chain. */
export const P_FREE_ENTRY: usize = 156;
/** SEGMENT_COUNT segments of the sets of DISTINCT values (sets.ts); 0: none yet. */
export const P_SETS: usize = 160;
/** 1: all but this head is on scratch disk (away.ts). */
export const P_AWAY: usize = 164;
/** List of addends to sums of reals (addends.ts), of a pane of which a piece has left. */
export const P_ADDENDS: usize = 168;
/** 1: a piece of it has left (pieces.ts). */
export const P_HAS_PIECES: usize = 180;
export const PANE_BYTES: usize = 184;

// Column and Table: src/sql/memory/column-layout.ts
export const C_KIND: usize = 0;
export const C_VALUES: usize = 4;
export const C_NULLS: usize = 8;
export const C_STRIDE: usize = 12;
export const C_NULL_STRIDE: usize = 16;
export const C_BASE: usize = 20;
export const COLUMN_BYTES: usize = 32;
export const T_COLUMNS: usize = 0;
export const T_COLUMN_COUNT: usize = 4;
export const T_ROW_COUNT: usize = 8;
export const T_SELECTION: usize = 12;

export const INTEGER: u32 = 0;
export const REAL: u32 = 1;
export const TEXT: u32 = 2;
export const BLOB: u32 = 3;
export const WIDE: u32 = 4;

// @ts-ignore: decorator
@inline
export function isBytes(kind: u32): bool {
  return kind == TEXT || kind == BLOB;
}

// Node: a value with how often it is there, of one accumulator of one entry. 64 bytes.
export const N_HASH: usize = 0;
export const N_ENTRY: usize = 4;
export const N_ACCUMULATOR: usize = 8;
/** Node numbers + 1: next of its bucket (or free node), neighbours in the ring of its owner. */
export const N_CHAIN: usize = 12;
export const N_PREVIOUS: usize = 16;
export const N_NEXT: usize = 20;
export const N_CHECKPOINT: usize = 24;
/** First and last of its orders of arrival, + 1. */
export const N_FIRST: usize = 28;
export const N_LAST: usize = 32;
/** 1: the last checkpoint holds it, so that the next one must say that it has gone. */
export const N_SAVED: usize = 36;
export const N_COUNT: usize = 40;
/** As a slot of 16 bytes; text and blob lie in the arena. */
export const N_VALUE: usize = 48;
export const NODE_BYTES: usize = 64;

// Segment of the sets of a pane
/** List of members. */
export const G_MEMBERS: usize = 0;
/** List of bytes: texts and blobs of the members. */
export const G_BYTES: usize = 12;
/** List of numbers of members that the last checkpoint holds with fewer bits. */
export const G_CHANGED: usize = 24;
/** Hash table of 8-byte slots: u32 member number + 1, u32 hash. */
export const G_SLOTS: usize = 36;
export const G_SLOT_COUNT: usize = 40;
/** Members that the last checkpoint holds. */
export const G_SAVED: usize = 44;
/** 1: members and bytes are on scratch disk; their lists have a count, and no memory. */
export const G_AWAY: usize = 48;
/** Lists of members, and of their bytes, that came while the segment was away. */
export const G_PENDING: usize = 52;
export const G_PENDING_BYTES: usize = 64;
/** List of the numbers of their entries, where members know groups by their names. */
export const G_PENDING_ENTRIES: usize = 76;
export const SEGMENT_BYTES: usize = 88;
export const SEGMENT_COUNT: u32 = 32;

// Member: a value of a set of an entry. 16 bytes. Text: u32 place in the bytes, u32 length.
export const M_VALUE: usize = 0;
/** The group: its name, or the number of its entry. */
export const M_ENTRY: usize = 8;
/** u16 bits of the aggregates that have counted it, u16 number of the set. */
export const M_MASK: usize = 12;
export const M_SET: usize = 14;
export const MEMBER_BYTES: usize = 16;
