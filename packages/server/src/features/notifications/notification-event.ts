import type { ErrorReport } from '@holdfast/base';
import type {
  BackupId,
  EnvironmentId,
  JobId,
  NotificationEventName,
  NotificationId,
  VaultId,
} from '@holdfast/protocol';

interface OfEnvironment {
  readonly environment: { readonly id: EnvironmentId; readonly name: string };
}

interface OfJob extends OfEnvironment {
  readonly backup: { readonly id: BackupId };
  readonly job: { readonly id: JobId };
}

interface OfVault {
  readonly vault: { readonly id: VaultId; readonly name: string };
  /** When it was first seen to be so: the same each time it is found again, for it is told once. */
  readonly sinceMs: number;
}

/** Everything that can be told, with all that a message says of it. No text in it is a secret. */
export type NotificationEvent =
  /** A mover has begun to read. */
  | ({ readonly event: 'backup.started' } & OfJob)
  /** A backup is ready, with or without warnings. */
  | ({ readonly event: 'backup.succeeded' } & OfJob)
  /** Besides `backup.succeeded`: it has warnings. */
  | ({ readonly event: 'backup.warned'; readonly warnings: readonly string[] } & OfJob)
  | ({ readonly event: 'backup.failed'; readonly error: ErrorReport } & OfJob)
  /** A scheduled run was not begun, whatever the reason. */
  | ({ readonly event: 'run.missed'; readonly dueAtMs: number; readonly reason: string } & OfEnvironment)
  /** There was no good backup for so long; told once until there is one. */
  | ({
      readonly event: 'backup.overdue';
      readonly hours: number;
      readonly lastGoodAtMs: number | null;
    } & OfEnvironment)
  | ({ readonly event: 'vault.missing'; readonly reason: string } & OfVault)
  | ({
      readonly event: 'vault.nearly-full';
      readonly freeBytes: number;
      readonly totalBytes: number;
    } & OfVault)
  /** What is in the vault is not what was written there. */
  | ({ readonly event: 'vault.damaged'; readonly findings: readonly string[] } & OfVault)
  | ({ readonly event: 'restore.done'; readonly warnings: readonly string[] } & OfJob)
  | ({ readonly event: 'restore.failed'; readonly error: ErrorReport } & OfJob)
  | {
      readonly event: 'test';
      readonly notification: { readonly id: NotificationId; readonly name: string };
    };

/** An event that is told to whoever wants it. */
export type QueuedEvent = Extract<NotificationEvent, { readonly event: NotificationEventName }>;

export type Severity = 'info' | 'success' | 'warning' | 'failure';

export const severities: Readonly<Record<NotificationEvent['event'], Severity>> = {
  'backup.started': 'info',
  'backup.succeeded': 'success',
  'backup.warned': 'warning',
  'backup.failed': 'failure',
  'run.missed': 'failure',
  'backup.overdue': 'failure',
  'vault.missing': 'failure',
  'vault.nearly-full': 'warning',
  'vault.damaged': 'failure',
  'restore.done': 'success',
  'restore.failed': 'failure',
  test: 'info',
};

/** The same for the same event, whichever server tells of it, and however often: each is told once. */
export function eventKey(event: QueuedEvent): string {
  switch (event.event) {
    case 'backup.started':
    case 'backup.succeeded':
    case 'backup.warned':
    case 'backup.failed':
    case 'restore.done':
    case 'restore.failed':
      return `${event.event}/${event.job.id}`;
    case 'run.missed':
      return `${event.event}/${event.environment.id}/${event.dueAtMs}`;
    case 'backup.overdue':
      return `${event.event}/${event.environment.id}/${event.lastGoodAtMs ?? 'never'}`;
    case 'vault.missing':
    case 'vault.nearly-full':
    case 'vault.damaged':
      return `${event.event}/${event.vault.id}/${event.sinceMs}`;
  }
}
