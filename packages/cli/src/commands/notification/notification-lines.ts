import type { Notification, ShownNotificationSettings } from '@holdfast/protocol';
import { factLines } from '../../output/facts.ts';
import { formatTime } from '../../output/quantities.ts';

/** A notification for people. */
export function notificationLines(notification: Notification, width: number): string[] {
  const { id, name, settings, events, environments, allowPrivate } = notification;
  const { queued, failed, lastDeliveredAtMs, lastError } = notification;
  return factLines(
    [
      ['Notification', `${name} (${id})`],
      ['Kind', settings.kind],
      ...settingsFacts(settings),
      ['Events', events.join(', ')],
      ['Environments', environmentsText(environments)],
      ['Private addresses', allowPrivate ? 'allowed' : 'refused'],
      ['Still to be delivered', `${queued}`],
      ['Given up', failed === 0 ? null : `${failed} in 30 days`],
      ['Last delivered', lastDeliveredAtMs === null ? 'never' : formatTime(lastDeliveredAtMs)],
      ['Last error', lastError === null ? null : `${formatTime(lastError.atMs)}: ${lastError.message}`],
    ],
    width,
  );
}

export function environmentsText(environments: Notification['environments']): string {
  return environments === null ? 'all' : environments.map(({ name }) => name).join(', ');
}

function settingsFacts(settings: ShownNotificationSettings): [string, string | null][] {
  switch (settings.kind) {
    case 'webhook':
    case 'healthchecks':
    case 'uptime-kuma':
      return [['Host', settings.origin]];
    case 'ntfy':
      return [
        ['Host', settings.server],
        ['Access token', settings.hasToken ? 'yes' : 'no'],
      ];
    case 'email':
      return [
        ['Host', `${settings.host}:${settings.port} (${settings.security})`],
        ['User', settings.user],
        ['From', settings.from],
        ['To', settings.to.join(', ')],
      ];
  }
}
