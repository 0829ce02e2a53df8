import type { BackupIntegrationChange } from '@holdfast/protocol';
import type { BackupSettings } from './component-settings.ts';
import { presetOf } from './presets.ts';

/**
 * What is set once the change was made: what it leaves out stays, null takes back, and null for all takes back all.
 * @throws HoldfastError `usage-invalid` for a preset that there is not
 */
export function changeSettings(
  settings: BackupSettings,
  change: BackupIntegrationChange | null,
): BackupSettings {
  if (change === null) return {};
  if (change.preset != null) presetOf(change.preset);
  const { backup, restore, ...own } = settings;
  const { backup: backupChange, restore: restoreChange, ...ownChange } = change;
  return merge<BackupSettings>(merge(own, ownChange), {
    backup: backupChange === null ? {} : merge(backup ?? {}, backupChange ?? {}),
    restore: restoreChange === null ? {} : merge(restore ?? {}, restoreChange ?? {}),
  });
}

/** Null removes, undefined leaves. */
function merge<Values extends object>(
  values: Values,
  change: { readonly [Name in keyof Values]?: Values[Name] | null | undefined },
): Values {
  const entries = Object.entries({ ...values, ...dropUndefined(change) });
  return Object.fromEntries(entries.filter(([, value]) => value !== null)) as Values;
}

function dropUndefined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
