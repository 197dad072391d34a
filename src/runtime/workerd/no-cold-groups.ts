/** What the Worker has in place of `sql/kernel/cold-groups.ts`: no scratch disk to leave for. */

export class ColdGroups {
  readonly isOver = false;

  spill(): void {}

  fetchFor(): void {}

  free(): void {}
}
