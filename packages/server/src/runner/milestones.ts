import { createReadStream } from 'node:fs';
import { type Abortable, HoldfastError, systemErrorCode } from '@holdfast/base';
import type { BackupId, FoundBackup, InspectedBackup, MoverEvent } from '@holdfast/protocol';
import { eventLines, parseEvent } from './event-lines.ts';

export type MoverEventOf<Type extends MoverEvent['type']> = Extract<MoverEvent, { type: Type }>;

export type MilestoneType =
  | 'started'
  | 'described'
  | 'precopied'
  | 'captured'
  | 'sealed'
  | 'committed'
  | 'swapped'
  | 'undone'
  | 'result';

/** Each is `undefined` until it was reported. */
export type ReachedMilestones = { readonly [Type in MilestoneType]?: MoverEventOf<Type> };

/** How far a task came, and with which backups. */
export type Milestones = ReachedMilestones & {
  /** Backups that it began to remove. */
  readonly removing?: readonly BackupId[];
  /** Backups of which nothing is left. */
  readonly removed?: readonly BackupId[];
  /** Backups that have lost something. */
  readonly inspected?: readonly InspectedBackup[];
  /** Backups that a repository holds. */
  readonly found?: readonly FoundBackup[];
};

/** The milestones with this event taken in, if it is one. */
export function withEvent(milestones: Milestones, event: MoverEvent): Milestones {
  switch (event.type) {
    case 'started':
    case 'described':
    case 'precopied':
    case 'captured':
    case 'sealed':
    case 'committed':
    case 'swapped':
    case 'undone':
    case 'result':
      return { ...milestones, [event.type]: event };
    case 'removing':
    case 'removed':
      return { ...milestones, [event.type]: [...(milestones[event.type] ?? []), event.backupId] };
    case 'inspected':
      return { ...milestones, inspected: [...(milestones.inspected ?? []), event.backup] };
    case 'backup':
      return { ...milestones, found: [...(milestones.found ?? []), event.backup] };
    case 'progress':
    case 'log':
    case 'part':
    case 'vault':
      return milestones;
  }
}

/**
 * How far a task came by its own event file, whoever still runs. A file that is not there is a task that never began.
 * Lines that a crash cut off are passed over.
 */
export async function readMilestones(eventsPath: string, { signal }: Abortable = {}): Promise<Milestones> {
  let milestones: Milestones = {};
  try {
    for await (const line of eventLines(createReadStream(eventsPath, { signal }))) {
      const event = parseEvent(line);
      if (event !== undefined) milestones = withEvent(milestones, event);
    }
    return milestones;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return milestones;
    if (signal?.aborted || error instanceof HoldfastError) throw error;
    throw new HoldfastError('mover-lost', "The mover's event file cannot be read.", {
      hint: 'Look at the disk that holds the data directory of Holdfast.',
      context: { eventsPath, systemCode: systemErrorCode(error) ?? null },
      cause: error,
    });
  }
}
