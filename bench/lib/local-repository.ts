import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { bytesBelow } from '../measure/disk.ts';
import { type Run, runUntimed } from '../measure/timed-process.ts';
import type { Peer, Place } from '../peers/peer.ts';
import { type Bench, newPlace } from './bench.ts';

/** An empty repository of that program in a folder of its own. */
export async function initPlace(bench: Bench, peer: Peer): Promise<Place> {
  const place = newPlace(bench);
  mkdirSync(dirname(place.repository), { recursive: true });
  await runUntimed(peer.init(place), bench);
  return place;
}

/** A repository with one snapshot of the source. */
export async function backedUpPlace(bench: Bench, peer: Peer, source: string): Promise<Place> {
  const place = await initPlace(bench, peer);
  await runUntimed(peer.backup(place, source), bench);
  return place;
}

export function removePlace({ repository }: Place): void {
  rmSync(dirname(repository), { recursive: true, force: true });
}

/** The first backup into a new repository, which is removed again. */
export async function firstBackup(bench: Bench, peer: Peer, source: string): Promise<Run> {
  const place = await initPlace(bench, peer);
  try {
    const run = await bench.time(peer.backup(place, source));
    return { ...run, repositoryBytes: bytesBelow(place.repository) };
  } finally {
    removePlace(place);
  }
}
