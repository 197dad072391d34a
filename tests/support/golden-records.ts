/** The records of `tests/golden/fixtures/record-batch`, by formula: see its generators' README. */
import type { RecordInput } from "../../src/record/batch-encode.ts";

const encoder = new TextEncoder();

const smallCount = 40;
const largeCount = 8;

function smallRecord(i: number): RecordInput {
  return {
    timestamp: 1_700_000_000_000 + i * i - (i % 5) * 1000,
    key: i % 4 === 3 ? null : encoder.encode(`key-${i}`),
    value: i % 7 === 6 ? null : encoder.encode(`value-${i} ${"millrace ".repeat((i * 13) % 50)}`),
    headers:
      i % 3 === 0
        ? [
            { key: "trace", value: encoder.encode(`t-${i}`) },
            { key: "ünïcode-✓", value: null },
          ]
        : [],
  };
}

function largeRecord(i: number): RecordInput {
  let text = "";
  let state = i + 1;
  while (text.length < 16384) {
    state = Math.imul(state, 1103515245) + 12345;
    text += `w${(state >>> 16) % 64} `;
  }
  return {
    timestamp: 1_700_000_000_000 + i,
    key: encoder.encode(`key-${i}`),
    value: encoder.encode(text),
    headers: [],
  };
}

export const smallRecords = Array.from({ length: smallCount }, (_, i) => smallRecord(i));
export const largeRecords = Array.from({ length: largeCount }, (_, i) => largeRecord(i));
