/** What the settings say of flushes. */
import { type FlushPolicy, folderFlushPolicy, objectFlushPolicy } from "../../log/flush-policy.ts";
import type { Settings } from "../settings.ts";

/** When segments are sealed: the store's way, within the settings. */
export function flushPolicy(settings: Settings): FlushPolicy {
  const { flushBytes, flushAgeMs, flushRateMax, store } = settings;
  const isS3 = store.kind === "s3";
  const base = isS3 ? objectFlushPolicy : folderFlushPolicy;
  // What goes while another flush is under way is what costs nothing of the ceiling.
  const scale = isS3 ? flushBytes / base.flushBytes : 1;
  const sealBytes = Math.min(base.sealBytes * scale, flushBytes);
  return { ...base, flushBytes, sealBytes, flushAgeMs, flushRateMax };
}
