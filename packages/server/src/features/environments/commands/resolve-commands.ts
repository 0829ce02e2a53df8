import { isHoldfastError } from '@holdfast/base';
import { type CommandLabels, labelDurationMs } from '@holdfast/docker';
import type { BackupIntegration } from '@holdfast/protocol';
import type { BackupSettings } from './component-settings.ts';
import { type Preset, presetOf } from './presets.ts';

/** A line of shell that runs in one of a component's containers. */
export interface ComponentCommand {
  readonly command: string;
  readonly timeoutMs: number;
  /** What the output of a complete backup ends with; null where that is not known. */
  readonly endPattern: string | null;
}

/** How a component is backed up by a command, and restored by one. */
export interface ComponentCommands {
  readonly backup: ComponentCommand | undefined;
  readonly restore: ComponentCommand | undefined;
  /** When it is backed up by itself, with a command or without; null where nothing says so. Not checked. */
  readonly cron: string | null;
  /** In the words of the API. */
  readonly integration: BackupIntegration;
}

export interface ResolvedCommands {
  readonly commands: ComponentCommands;
  /** Labels that cannot be followed. */
  readonly warnings: readonly string[];
}

/** A dump of a large database takes hours; a command that hangs has to end some day. */
const defaultTimeout = '6h';

/** What was set by the API beats the labels, field by field; a command beats a preset that came the same way. */
export function resolveCommands(
  component: string,
  labels: CommandLabels | undefined,
  settings: BackupSettings = {},
): ResolvedCommands {
  const warnings: string[] = [];
  const warn = (reason: string): void => void warnings.push(`${reason} (component ${component})`);
  const given = readPreset(settings.preset, warn);
  const labelled = readPreset(labels?.preset, warn);
  const timeoutOf = (set: string | undefined, label: string | undefined): string =>
    [set, readDuration(label, warn)].find((text) => text !== undefined) ?? defaultTimeout;
  const pick = (way: 'backup' | 'restore'): ComponentCommand | undefined => {
    const timeoutMs = labelDurationMs(timeoutOf(settings[way]?.timeout, labels?.[way].timeout)) ?? 0;
    const own = (command: string) => ({ command, timeoutMs, endPattern: null });
    const ofPreset = (preset: Preset | undefined) =>
      preset && {
        command: preset[way].command,
        timeoutMs,
        endPattern: way === 'backup' ? preset.backup.endPattern : null,
      };
    const set = settings[way]?.command;
    const label = labels?.[way].command;
    if (set !== undefined) return own(set);
    return ofPreset(given) ?? (label === undefined ? ofPreset(labelled) : own(label));
  };
  const backup = pick('backup');
  const restore = pick('restore');
  const cron = settings.backup?.cron_string ?? labels?.backup.cron ?? null;
  return {
    commands: {
      backup,
      restore,
      cron,
      integration: {
        preset: settings.preset ?? labels?.preset ?? null,
        backup: backup && {
          command: backup.command,
          timeout: timeoutOf(settings.backup?.timeout, labels?.backup.timeout),
          cron_string: cron,
        },
        restore: restore && {
          command: restore.command,
          timeout: timeoutOf(settings.restore?.timeout, labels?.restore.timeout),
        },
        retention: settings.retention ?? labels?.retention ?? null,
      },
    },
    warnings: [...new Set(warnings)],
  };
}

function readPreset(text: string | undefined, warn: (reason: string) => void): Preset | undefined {
  if (text === undefined) return undefined;
  try {
    return presetOf(text);
  } catch (error) {
    if (!isHoldfastError(error, 'usage-invalid')) throw error;
    warn(error.message);
    return undefined;
  }
}

function readDuration(text: string | undefined, warn: (reason: string) => void): string | undefined {
  if (text === undefined || labelDurationMs(text) !== undefined) return text;
  warn(`"${text}" is no duration as in 90s or 1h30m.`);
  return undefined;
}
