import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { fileSystemOf } from '../measure/disk.ts';
import type { Bench } from './bench.ts';

/** What the figures were measured on, and with which programs. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memory_gib: number;
  readonly kernel: string;
  readonly file_system: string;
  readonly node: string;
  readonly holdfast: string;
  readonly restic: string;
  readonly borg: string | null;
}

type Programs = Pick<Bench, 'holdfast' | 'restic' | 'borg'>;

export function describeMachine({ holdfast, restic, borg }: Programs, folder: string): Machine {
  return {
    processor: cpus()[0]?.model ?? process.arch,
    processors: availableParallelism(),
    memory_gib: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    file_system: fileSystemOf(folder),
    node: process.version,
    holdfast: holdfast.version,
    restic: restic.version,
    borg: borg?.version ?? null,
  };
}
