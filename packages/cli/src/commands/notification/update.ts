import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import type { NotificationEventName } from '@holdfast/protocol';
import { collect } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { writeObject } from '../../output/object.ts';
import { connectTo } from './connect-to.ts';
import { notificationLines } from './notification-lines.ts';
import { changedSettings, events, type SettingsOptions, settingsOptions } from './settings-options.ts';

interface UpdateOptions extends SettingsOptions {
  readonly name?: string;
  readonly event?: readonly NotificationEventName[];
  readonly defaultEvents?: boolean;
  readonly environment?: readonly string[];
  readonly allEnvironments?: boolean;
  readonly allowPrivate?: boolean;
  readonly format: 'table' | 'json';
}

export function notificationUpdateCommand(cli: Cli): CliCommand {
  const command = serverCommand(
    'notification:update',
    'Change a notification; what is not given stays as it is',
    { urlOption: '--server-url' },
  )
    .argument('<notification>', 'id or name')
    .option('--name <name>', 'another name')
    .option('--event <names>', 'which events, with commas between, in place of those of now', events)
    .option('--default-events', 'those that its kind has by default')
    .option(
      '--environment <environment>',
      'only of this one, in place of those of now; may be given several times',
      collect,
    )
    .option('--all-environments', 'of all of them, also those that come later')
    .option('--allow-private', 'it may be at an address of this machine or of a private network')
    .option('--no-allow-private', 'at a public address only');
  return settingsOptions(command)
    .addOption(formatOption('table'))
    .addHelpText('after', '\nAn empty value takes back a user, a password or an access token.')
    .example('notification:update ops --event backup.failed,restore.failed', 'these two alone')
    .example(
      'notification:update mail --host mail.example.com --password-file password',
      'another mail server',
    )
    .action(
      cli.action((given: string, options: UpdateOptions) => updateNotification(cli.context, given, options)),
    );
}

async function updateNotification(
  context: CliContext,
  notification: string,
  options: UpdateOptions,
): Promise<ExitStatus> {
  const { signal } = context.interrupts;
  const { name, allowPrivate } = options;
  const events = either(options.event, options.defaultEvents, '--event or --default-events');
  const environments = either(
    options.environment,
    options.allEnvironments,
    '--environment or --all-environments',
  );
  const client = await connectTo(context, options);
  const params = { notification };
  const { kind } = (await client.call('notification.get', { params, signal })).settings;
  const settings = await changedSettings(context, kind, options);
  const body = {
    ...(name === undefined ? {} : { name }),
    ...(events === undefined ? {} : { events }),
    ...(environments === undefined ? {} : { environments }),
    ...(allowPrivate === undefined ? {} : { allowPrivate }),
    ...(settings === undefined ? {} : { settings }),
  };
  if (Object.keys(body).length === 0) {
    throw new HoldfastError('usage-invalid', 'There is nothing to change.', {
      hint: 'See holdfast notification:update --help.',
    });
  }
  const object = await client.call('notification.update', { params, body, signal });
  writeObject(context, { object, lines: notificationLines, options: { format: options.format } });
  return exitStatus.done;
}

/** Null for what is by default. @throws HoldfastError `usage-invalid` when both are given */
function either<Item>(
  given: readonly Item[] | undefined,
  byDefault: boolean | undefined,
  names: string,
): Item[] | null | undefined {
  if (given !== undefined && byDefault === true) {
    throw new HoldfastError('usage-invalid', `Give either ${names}.`);
  }
  return byDefault === true ? null : given === undefined ? undefined : [...given];
}
