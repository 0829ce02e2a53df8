import type {
  BackupId,
  BackupKind,
  BackupMode,
  BackupStatus,
  BackupSummary,
  CaptureFacts,
  EnvironmentId,
  ErrorReportBody,
  JobId,
  RepositoryId,
  SealedPart,
} from '@holdfast/protocol';

/** A backup as the catalog has it: how long it stays, retention says. */
export interface BackupRecord extends Omit<BackupSummary, 'expiry'> {
  readonly repositoryId: RepositoryId;
  readonly createdBy: string;
  readonly manifestSnapshotId: string | null;
  readonly error: ErrorReportBody | null;
  /** Counts the environment's backups in the order in which they were made. */
  readonly madeNo: number;
}

export interface BackupWithParts extends BackupRecord {
  readonly parts: readonly SealedPart[];
}

export interface NewBackup {
  readonly id: BackupId;
  readonly environmentId: EnvironmentId;
  readonly repositoryId: RepositoryId;
  readonly jobId: JobId;
  readonly kind: BackupKind;
  readonly mode: BackupMode;
  readonly description: string;
  readonly components: readonly string[];
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}

/** What a mover committed. */
export interface CommittedBackup {
  /** `live` also for one that was to be consistent and could not. */
  readonly mode: BackupMode;
  readonly capture: CaptureFacts;
  readonly parts: readonly SealedPart[];
  readonly manifestSnapshotId: string;
  readonly finishedAtMs: number;
}

export interface BackupFilter {
  readonly environmentId?: EnvironmentId | undefined;
  readonly kind?: BackupKind | undefined;
  readonly notKind?: BackupKind | undefined;
  readonly status?: BackupStatus | undefined;
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after?: BackupCursor | undefined;
}

export interface ListedBackups {
  readonly backups: readonly (BackupRecord & Pick<BackupSummary, 'expiry'>)[];
  /** Null on the last page. */
  readonly next: BackupCursor | null;
}

/** The last backup of a page: the next page begins behind it, whatever was added or removed meanwhile. */
export interface BackupCursor {
  readonly createdAtMs: number;
  readonly id: BackupId;
}

export interface BackupPage {
  readonly backups: readonly BackupRecord[];
  /** Null on the last page. */
  readonly next: BackupCursor | null;
}

/** What a text can name: exactly one backup, none, or several by a prefix that is too short. */
export type BackupMatch =
  | { readonly found: 'one'; readonly backup: BackupWithParts }
  | { readonly found: 'none' }
  | { readonly found: 'several'; readonly ids: readonly BackupId[] };
