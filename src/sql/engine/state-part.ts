/** Kernel states, and single numbers, as parts of a checkpoint. */
import type { StatePart } from "./operator.ts";

interface SavedState {
  save(options: { readonly full: boolean }): Uint8Array;
  restore(blob: Uint8Array): void;
}

export function kernelPart(name: string, state: SavedState): StatePart {
  return {
    name,
    save: (kind) => state.save({ full: kind === "full" }),
    restore: (parts) => {
      for (const { bytes } of parts) state.restore(bytes);
    },
  };
}

/** A number that is saved whole with every checkpoint: eight bytes, a double. */
export function numberPart(
  name: string,
  place: { readonly get: () => number; readonly set: (value: number) => void },
): StatePart {
  return {
    name,
    save: () => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setFloat64(0, place.get(), true);
      return bytes;
    },
    restore: (parts) => {
      const last = parts.at(-1)?.bytes;
      if (last === undefined) return;
      place.set(new DataView(last.buffer, last.byteOffset).getFloat64(0, true));
    },
  };
}
