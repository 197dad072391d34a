/** What the Worker has in place of `sql/kernel/cold-groups.ts`: no scratch disk to leave for. */
import type { ColdGroups as Replaced } from "../../sql/kernel/cold-groups.ts";

/** What others see of it: a stand-in that lacks some of it does not compile. */
type Surface = { readonly [Member in keyof Replaced]: Replaced[Member] };

export class ColdGroups implements Surface {
  readonly isOver = false;

  spill(): void {}

  fetchFor(): void {}

  bringOut(show: () => void): void {
    show();
  }

  free(): void {}
}
