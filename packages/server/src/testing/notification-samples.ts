import { createIds } from '../catalog/ids.ts';
import type { NotificationEvent } from '../features/notifications/notification-event.ts';

const ids = createIds();

/** One event of each kind, about an environment `shop` and a vault `default`. */
export function sampleEvents(): readonly NotificationEvent[] {
  const environment = { id: ids.environment(), name: 'shop' };
  const ofJob = { environment, backup: { id: ids.backup() }, job: { id: ids.job() } };
  const ofVault = { vault: { id: ids.vault(), name: 'default' }, sinceMs: 1_700_000_000_000 };
  const error = { code: 'source-empty', message: 'The volume data is empty.', hint: 'Look at it.' };
  return [
    { event: 'backup.started', ...ofJob },
    { event: 'backup.succeeded', ...ofJob },
    { event: 'backup.warned', ...ofJob, warnings: ['a changed', 'b changed'] },
    { event: 'backup.failed', ...ofJob, error },
    { event: 'run.missed', environment, dueAtMs: 1_700_000_000_000, reason: 'No server ran.' },
    { event: 'backup.overdue', environment, hours: 26, lastGoodAtMs: 1_700_000_000_000 },
    { event: 'vault.missing', ...ofVault, reason: 'There is no directory /vault.' },
    { event: 'vault.nearly-full', ...ofVault, freeBytes: 2 ** 30, totalBytes: 100 * 2 ** 30 },
    { event: 'vault.damaged', ...ofVault, findings: ['pack 0a1b is missing'] },
    { event: 'restore.done', ...ofJob, warnings: [] },
    { event: 'restore.failed', ...ofJob, error },
    { event: 'test', notification: { id: ids.notification(), name: 'ops' } },
  ];
}

export function sampleEvent<Name extends NotificationEvent['event']>(
  name: Name,
): Extract<NotificationEvent, { readonly event: Name }> {
  const found = sampleEvents().find(
    (each): each is Extract<NotificationEvent, { readonly event: Name }> => each.event === name,
  );
  if (found === undefined) throw new Error(`There is no ${name}.`);
  return found;
}
