/** Kernel states as parts of a checkpoint. */
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
