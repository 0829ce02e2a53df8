import type { NotificationId } from '@holdfast/protocol';
import { jsonColumn } from '../../catalog/json-column.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import { type Settings, settingsSchema } from './notification-settings.ts';
import type { NotificationRecord } from './store.ts';

const settingsText = jsonColumn('notification.sealed_settings', settingsSchema);

export function sealSettings(sealer: Sealer, id: NotificationId, settings: Settings): string {
  return sealer.seal(settingsText.write(settings), id);
}

/** @throws HoldfastError `secret-unreadable`, `catalog-damaged` */
export function openSettings(
  sealer: Sealer,
  { id, sealedSettings }: Pick<NotificationRecord, 'id' | 'sealedSettings'>,
): Settings {
  return settingsText.read(sealer.unseal(sealedSettings, id));
}
