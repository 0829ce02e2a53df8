/** From `startMs` on, until right before `endMs`, which is infinite for the last slot there is. */
export interface Slot {
  readonly startMs: number;
  readonly endMs: number;
}

/** The slot of a row that a moment lies in; null where the row has none. Slots follow each other without gaps. */
export type SlotAt = (ms: number) => Slot | null;

export function slotAfter(slotAt: SlotAt, { endMs }: Slot): Slot | null {
  return Number.isFinite(endMs) ? slotAt(endMs) : null;
}

export function contains({ startMs, endMs }: Slot, ms: number): boolean {
  return startMs <= ms && ms < endMs;
}
