/** Numbers for people. */

/** `1536` → `1.5 KiB`. */
export function humanBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `1234567` → `1,234,567`. */
export function humanCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 record`, `2 records`; `plural` where an s is not enough. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${humanCount(count)} ${count === 1 ? noun : plural}`;
}

/** A timestamp as ISO 8601, `-` for none. */
export function humanTime(timestampMs: number): string {
  const shown = timestampMs >= 0 && timestampMs <= 8.64e15;
  return shown ? new Date(timestampMs).toISOString() : "-";
}
