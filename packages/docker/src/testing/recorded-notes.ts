import { readFileSync } from 'node:fs';
import type { Container, Volume } from '../engine-port/engine-objects.ts';
import { type ContainerAnswer, toContainer } from '../engine-port/to-container.ts';
import { toVolume, type VolumeAnswer } from '../engine-port/volume-calls.ts';

interface Recording {
  readonly containers: readonly ContainerAnswer[];
  readonly volumes: readonly VolumeAnswer[];
}

/**
 * What Docker Engine 20.10 answered about a small project started by Compose 2.26 in /srv/notes: a web component, a
 * worker that shares its volume, a report that has ended, a `docker compose run`, a volume with options.
 */
export function recordedNotes(): { containers: Container[]; volumes: Volume[] } {
  const text = readFileSync(new URL('./recorded-notes.json', import.meta.url), 'utf8');
  const recording: Recording = JSON.parse(text);
  return { containers: recording.containers.map(toContainer), volumes: recording.volumes.map(toVolume) };
}
