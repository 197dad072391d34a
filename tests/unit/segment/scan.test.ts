import { describe, expect, test } from "bun:test";
import { joinedBytes } from "../../../src/base/joined-bytes.ts";
import { type ScanFinding, type ScanOptions, scanSegments } from "../../../src/segment/scan.ts";
import { crc32c, encoded, makeBatch, makeEntry, sampleInput } from "../../support/segments.ts";

const segments = [1, 2, 3].map((sequence) => encoded({ ...sampleInput(), sequence }));
const length = segments[0]?.length ?? 0;

async function scan(bytes: Uint8Array, options: Partial<ScanOptions> = {}): Promise<ScanFinding[]> {
  const read: ScanOptions["read"] = async (range) => {
    const part = bytes.slice(range.position, range.position + range.length);
    expect(part.length).toBe(range.length);
    return part;
  };
  const all = { read, sizeBytes: bytes.length, crc32c, checkBodies: true, ...options };
  return await Array.fromAsync(scanSegments(all));
}

function brief(findings: readonly ScanFinding[]): string[] {
  return findings.map((finding) =>
    finding.kind === "segment"
      ? `${finding.footer.sequence} at ${finding.position}${finding.afterGap ? " after a gap" : ""}`
      : `gap of ${finding.length} at ${finding.position}${finding.atEnd ? " to the end" : ""}`,
  );
}

describe("scanSegments", () => {
  test("finds each segment of a whole file", async () => {
    const expected = ["1 at 0", `2 at ${length}`, `3 at ${2 * length}`];
    expect(brief(await scan(joinedBytes(segments)))).toEqual(expected);
    expect(brief(await scan(joinedBytes(segments), { checkBodies: false }))).toEqual(expected);
    expect(await scan(new Uint8Array(0))).toEqual([]);
  });

  test("tells where a torn tail starts, wherever the last segment was cut", async () => {
    const whole = joinedBytes(segments);
    for (let cut = 1; cut < length; cut += 97) {
      const findings = brief(await scan(whole.subarray(0, 2 * length + cut)));
      expect(findings.at(-1)).toBe(`gap of ${cut} at ${2 * length} to the end`);
      expect(findings.length).toBe(3);
    }
  });

  test("goes on behind a hole that a failed write left", async () => {
    const hole = new Uint8Array(3 * 4096);
    const file = joinedBytes([...segments.slice(0, 1), hole, ...segments.slice(1, 2)]);
    expect(brief(await scan(file))).toEqual([
      "1 at 0",
      `gap of ${hole.length} at ${length}`,
      `2 at ${length + hole.length} after a gap`,
    ]);
  });

  test("finds the next segment behind a hole longer than one read", async () => {
    const hole = new Uint8Array(1_048_576 + 8192);
    const file = joinedBytes([hole, ...segments]);
    expect(brief(await scan(file))[1]).toBe(`1 at ${hole.length} after a gap`);
  });

  test("sees a middle that was lost with the power only when bodies are checked", async () => {
    const file = joinedBytes(segments);
    const view = file.subarray(length, length + 4096);
    view.fill(0, 300, 310);
    expect(brief(await scan(file))[1]).toBe(`gap of ${length} at ${length}`);
    expect(brief(await scan(file, { checkBodies: false }))[1]).toBe(`2 at ${length}`);
  });

  test("takes no segment of another worker epoch", async () => {
    const other = encoded({ ...sampleInput(), workerEpoch: 18 });
    const findings = await scan(joinedBytes([...segments, other]), { workerEpoch: 17 });
    expect(brief(findings)).toContain(`gap of ${length} at ${3 * length} to the end`);
  });

  test("reads a footer that is longer than the first read", async () => {
    const batch = makeBatch({ timestamp: 1, values: ["v"] });
    const entries = Array.from({ length: 2000 }, (_, partition) =>
      makeEntry({ topicIndex: 0, partition }, [batch]),
    );
    const large = encoded({ ...sampleInput(), entries });
    const findings = await scan(large, { checkBodies: false });
    expect(findings.map((f) => (f.kind === "segment" ? f.footer.entries.length : 0))).toEqual([
      2000,
    ]);
  });
});
