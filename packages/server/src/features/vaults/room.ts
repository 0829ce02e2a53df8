import type { VaultMeasurement } from './store.ts';

/** What is left in a file system, or of a capacity that somebody has set. */
export interface Room {
  /** In a file system for who is not root. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface KnownRoom {
  /** Of a directory's file system. */
  readonly space: Room | null;
  readonly capacityBytes: number | null;
  readonly measured: VaultMeasurement | null;
}

/** Less of its room than that is free. */
const nearlyFullShare = 0.1;

/** By its file system or its capacity, whichever is nearer to its end; null where neither is known. */
export function roomIn({ space, capacityBytes, measured }: KnownRoom): Room | null {
  const ofCapacity =
    capacityBytes === null || measured === null
      ? null
      : { freeBytes: Math.max(0, capacityBytes - measured.bytes), totalBytes: capacityBytes };
  if (space === null || space.totalBytes === 0) return ofCapacity;
  return ofCapacity !== null && freeShare(ofCapacity) < freeShare(space) ? ofCapacity : space;
}

export function isNearlyFull(room: Room | null): boolean {
  return room !== null && freeShare(room) < nearlyFullShare;
}

/** From 0 to 1. */
export function freeShare({ freeBytes, totalBytes }: Room): number {
  return freeBytes / totalBytes;
}
