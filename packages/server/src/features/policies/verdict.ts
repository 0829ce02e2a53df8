import type { BackupId, BackupKind, BackupStatus, ScheduleId } from '@holdfast/protocol';

/** What retention decides by. */
export interface RetainedBackup {
  readonly id: BackupId;
  readonly kind: BackupKind;
  readonly status: BackupStatus;
  readonly createdAtMs: number;
  /** Its own retention; null for none. */
  readonly expiresAtMs: number | null;
  readonly isPinned: boolean;
  /** It has all components. */
  readonly isWhole: boolean;
  /** A source of it had vanished, or had shrunk to less than a tenth. */
  readonly isDoubtful: boolean;
  /** The schedules that it was made for, as `schedulesServedAt` told; null where that is not known. */
  readonly madeFor: readonly ScheduleId[] | null;
}

export type Verdict = KeepVerdict | RemoveVerdict;

export interface KeepVerdict {
  readonly kind: 'keep';
  readonly id: BackupId;
  /** All that keep it: one at least. */
  readonly rules: readonly KeepRule[];
  /** As far as it can be foreseen. */
  readonly end: End;
}

export interface RemoveVerdict {
  readonly kind: 'remove';
  readonly id: BackupId;
  readonly rule: RemoveRule;
}

export type KeepRule =
  | { readonly rule: 'pinned' }
  /** It is queued, running, importing or being deleted. */
  | { readonly rule: 'unfinished'; readonly status: BackupStatus }
  /** Its own retention is not over. */
  | { readonly rule: 'own-retention'; readonly expiresAtMs: number }
  /** Manual, imported or safety: until somebody deletes it. */
  | { readonly rule: 'until-deleted' }
  /** One of the newest manual ones. */
  | { readonly rule: 'manual-count'; readonly count: number }
  | { readonly rule: 'schedule'; readonly schedule: ScheduleId }
  /** Automated, but there is no schedule any more. */
  | { readonly rule: 'no-schedule' }
  /** Failed or cancelled, and either of late, or nothing good is newer. */
  | { readonly rule: 'failed' }
  /** Damaged or doubtful, and not yet made up for by newer ones that are good. */
  | { readonly rule: 'not-made-up-for' }
  /** None of its containers exists: meanwhile no rule removes anything. */
  | { readonly rule: 'vanished' }
  /** It goes with its environment, which was deleted. */
  | { readonly rule: 'environment-deleted' }
  /** `instead` would remove it, but it is the newest good one, or the newest good one of all components. */
  | { readonly rule: 'last-good'; readonly instead: RemoveRule };

export type RemoveRule =
  /** Its own retention is over. */
  | { readonly rule: 'own-retention'; readonly expiresAtMs: number }
  /** So many newer manual ones are there. */
  | { readonly rule: 'manual-count'; readonly count: number }
  /** No schedule keeps it. */
  | { readonly rule: 'schedules' }
  /** More good ones than that. */
  | { readonly rule: 'max-backups'; readonly count: number }
  /** Failed or cancelled a while ago, and a newer one is good. */
  | { readonly rule: 'failed' };

export type End =
  | { readonly kind: 'none' }
  | { readonly kind: 'date'; readonly atMs: number }
  | { readonly kind: 'replaced'; readonly afterNext: number; readonly by: Replacement };

/** What has to be made before a backup goes. */
export type Replacement =
  /** Good ones, each in a new slot of this schedule. */
  | { readonly kind: 'schedule'; readonly schedule: ScheduleId }
  /** Good manual ones. */
  | { readonly kind: 'manual' }
  /** Good ones, manual or automated. */
  | { readonly kind: 'good' };
