/**
 * Sends an object to S3 that is too large to be held: in parts, one of them in memory at a time.
 *
 * It is read twice. The first reading gives the CRC-32C that an object of ours carries as metadata
 * and that the upload has to begin with; the second one sends, and must find the same. The server
 * checks each part's own CRC on arrival.
 */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Crc32c } from "../base/crc32c.ts";
import { StreamError } from "../base/stream-error.ts";
import type { ObjectSource } from "./object-store.ts";
import { crcBase64, crcHex } from "./s3-checksums.ts";
import { s3Failure } from "./s3-failures.ts";

/** S3 takes no parts below 5 MiB but the last; R2 wants all but the last to be of one size. */
export const partBytesDefault = 16 * 1024 * 1024;

export interface PartsUpload {
  readonly client: Pick<S3Client, "send">;
  readonly place: { readonly Bucket: string; readonly Key: string };
  readonly source: ObjectSource;
  readonly crc32c: Crc32c;
  readonly partBytes: number;
  /** Whether parts carry their checksum. */
  readonly hasChecksums: boolean;
  /** Repeats what may pass, within a time that grows with the bytes. */
  retried<T>(bytes: number, attempt: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Whether the object is there as it should be; throws `object_exists` when it is another. */
  isOurs(crc: number, signal: AbortSignal): Promise<boolean>;
}

/** Creates the object; one that is there already, and the same, stays. */
export async function putInParts(upload: PartsUpload): Promise<void> {
  const { client, place, hasChecksums, retried } = upload;
  let crc = 0;
  for await (const { bytes } of pieces(upload)) crc = upload.crc32c.of(bytes, crc);
  if (await retried(0, (signal) => upload.isOurs(crc, signal))) return;
  const begin = new CreateMultipartUploadCommand({
    ...place,
    ContentType: "application/octet-stream",
    Metadata: { crc32c: crcHex(crc) },
    ...(hasChecksums ? { ChecksumAlgorithm: "CRC32C" } : {}),
  });
  // An answer that is lost leaves an upload without a part, which buckets forget by a rule or cost
  // nothing for.
  const { UploadId } = await retried(0, (abortSignal) => client.send(begin, { abortSignal }));
  const named = { ...place, UploadId };
  try {
    const Parts = await sendParts(upload, named, crc);
    await complete(upload, { ...named, MultipartUpload: { Parts } }, crc);
  } catch (error) {
    const abort = new AbortMultipartUploadCommand(named);
    await retried(0, (abortSignal) => client.send(abort, { abortSignal })).catch(() => undefined);
    throw error;
  }
}

async function sendParts(
  upload: PartsUpload,
  named: { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined },
  crc: number,
): Promise<CompletedPart[]> {
  const { client, crc32c, hasChecksums, retried } = upload;
  const parts: CompletedPart[] = [];
  let sent = 0;
  for await (const { bytes } of pieces(upload)) {
    sent = crc32c.of(bytes, sent);
    const PartNumber = parts.length + 1;
    const checksum = hasChecksums ? { ChecksumCRC32C: crcBase64(crc32c.of(bytes)) } : {};
    const body = { Body: bytes, ContentLength: bytes.length };
    const part = new UploadPartCommand({ ...named, ...body, ...checksum, PartNumber });
    const { ETag } = await retried(bytes.length, (abortSignal) =>
      client.send(part, { abortSignal }),
    );
    parts.push({ ETag, PartNumber, ...checksum });
  }
  if (sent === crc) return parts;
  throw new StreamError(
    "corrupt_segment",
    `Cannot create ${named.Key}: what it is made from changed while it was read`,
  );
}

/** An upload that is no more there was completed by an attempt whose answer was lost. */
async function complete(
  upload: PartsUpload,
  parts: ConstructorParameters<typeof CompleteMultipartUploadCommand>[0],
  crc: number,
): Promise<void> {
  await upload.retried(0, async (abortSignal) => {
    try {
      await upload.client.send(new CompleteMultipartUploadCommand(parts), { abortSignal });
    } catch (error) {
      const isGone = s3Failure(error) === "missing";
      if (!isGone || !(await upload.isOurs(crc, abortSignal))) throw error;
    }
  });
}

async function* pieces({ source, partBytes }: PartsUpload): AsyncGenerator<{ bytes: Uint8Array }> {
  for (let position = 0; position < source.sizeBytes; position += partBytes) {
    const length = Math.min(partBytes, source.sizeBytes - position);
    yield { bytes: await source.read(position, length) };
  }
}
