import type { FileKind } from '../../backend/backend.ts';

export type VictimVerb = 'backup' | 'forget' | 'prune' | 'key-add' | 'key-remove';

/** A call of the backend, by its name there. */
export type CallName =
  | 'create'
  | 'save'
  | 'load'
  | 'loadRange'
  | 'stat'
  | 'list'
  | 'remove'
  | 'removeLeftovers';

/** The n-th call of a sort, counted from 0, and when about it. `during` and `after` wait so long after its start or end. */
export interface KillPoint {
  readonly call: CallName;
  readonly kind: FileKind;
  readonly number: number;
  readonly moment: 'before' | 'during' | 'after';
  readonly delayMs: number;
}

/** What a victim is told, as JSON in its only argument. */
export interface VictimTask {
  readonly verb: VictimVerb;
  readonly repository: string;
  readonly password: string;
  /** backup: the directory, and the tag of the snapshot. */
  readonly source?: string;
  readonly tag?: string;
  /** forget and prune: snapshots to remove first. */
  readonly snapshotIds?: readonly string[];
  /** key-add: the new password; key-remove: the password of the key to go. */
  readonly otherPassword?: string;
  /** Where it kills itself with SIGKILL; nowhere if somebody else does. */
  readonly killAt?: KillPoint;
}

/** A call that a victim told of: a line `> save data ID` when it begins, `< save data ID` when it has ended well. */
export interface ToldCall {
  readonly hasEnded: boolean;
  readonly call: CallName;
  readonly kind: FileKind;
  readonly id: string;
}

/** What a process was at when it was killed. */
export type CrashPhase =
  | 'start'
  | 'scan'
  | 'pack'
  | 'index'
  | 'snapshot'
  | 'plan'
  | 'repack'
  | 'delete'
  | 'key'
  | 'end';

export function parseToldCalls(output: string): ToldCall[] {
  const lines = output.split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    const [mark, call, kind, id] = line.split(' ');
    if (mark !== '>' && mark !== '<') return [];
    return [
      {
        hasEnded: mark === '<',
        call: call as CallName,
        kind: kind as FileKind,
        id: id ?? '',
      } satisfies ToldCall,
    ];
  });
}

/** The phase that the calls of a killed process had reached. */
export function phaseOf(verb: VictimVerb, told: readonly ToldCall[]): CrashPhase {
  const has = (call: CallName, kind: FileKind, hasEnded = false): boolean =>
    told.some((other) => other.call === call && other.kind === kind && other.hasEnded === hasEnded);
  const isLocked = has('save', 'lock', true);
  const isReleased = has('remove', 'lock');
  switch (verb) {
    case 'backup':
      if (has('save', 'snapshot')) return isReleased ? 'end' : 'snapshot';
      if (has('save', 'index')) return 'index';
      if (has('save', 'data')) return 'pack';
      return isLocked ? 'scan' : 'start';
    case 'forget':
      if (isReleased) return 'end';
      if (has('remove', 'snapshot')) return 'delete';
      return isLocked ? 'plan' : 'start';
    case 'prune':
      if (isReleased) return 'end';
      if (has('remove', 'data') || has('remove', 'index')) return 'delete';
      if (has('save', 'index')) return 'index';
      if (has('save', 'data')) return 'repack';
      if (has('loadRange', 'data') && has('remove', 'snapshot')) return 'plan';
      return isLocked ? 'plan' : 'start';
    case 'key-add':
    case 'key-remove':
      return has('save', 'key') || has('remove', 'key') ? 'key' : 'start';
  }
}
