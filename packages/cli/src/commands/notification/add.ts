import { type ExitStatus, exitStatus } from '@holdfast/base';
import { type NotificationEventName, type NotificationKind, notificationKinds } from '@holdfast/protocol';
import { Option } from 'commander';
import { collect } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { formatOption, serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { connectTo } from './connect-to.ts';
import { events, newSettings, type SettingsOptions, settingsOptions } from './settings-options.ts';

interface AddOptions extends SettingsOptions {
  readonly kind: NotificationKind;
  readonly event?: readonly NotificationEventName[];
  readonly environment?: readonly string[];
  readonly allowPrivate?: boolean;
  readonly format: 'plain' | 'json';
}

export function notificationAddCommand(cli: Cli): CliCommand {
  const command = serverCommand(
    'notification:add',
    'Tell somebody of failures and other events; prints the id of the notification',
    { urlOption: '--server-url' },
  )
    .argument('<name>', 'lower-case letters, digits, and - . _')
    .addOption(
      new Option('--kind <kind>', 'how they are told').choices(notificationKinds).makeOptionMandatory(),
    )
    .option(
      '--event <names>',
      'which events, with commas between (default: failures and what else needs somebody)',
      events,
    )
    .option('--environment <environment>', 'only of this one; may be given several times', collect)
    .option('--allow-private', 'it may be at an address of this machine or of a private network');
  return settingsOptions(command)
    .addOption(formatOption('plain'))
    .example('notification:add ops --kind webhook --url https://example.com/hooks/holdfast', 'signed JSON')
    .example('notification:add phone --kind ntfy --topic a-long-random-name', 'to a phone, by ntfy.sh')
    .example(
      'notification:add mail --kind email --host smtp.example.com --user ops --password-file password --from holdfast@example.com --to ops@example.com',
      'a mail, by STARTTLS',
    )
    .example(
      'notification:add nightly --kind healthchecks --url-file ping-url --environment shop',
      'a ping for each backup of shop',
    )
    .action(cli.action((name: string, options: AddOptions) => addNotification(cli.context, name, options)));
}

async function addNotification(context: CliContext, name: string, options: AddOptions): Promise<ExitStatus> {
  const { event, environment, allowPrivate, kind } = options;
  const settings = await newSettings(context, kind, options);
  const client = await connectTo(context, options);
  const added = await client.call('notification.add', {
    body: {
      name,
      settings,
      ...(event === undefined ? {} : { events: [...event] }),
      ...(environment === undefined ? {} : { environments: [...environment] }),
      ...(allowPrivate === undefined ? {} : { allowPrivate }),
    },
    signal: context.interrupts.signal,
  });
  const { notification, secret } = added;
  context.output.line(options.format === 'json' ? JSON.stringify(added, undefined, 2) : notification.id);
  if (secret !== null) {
    context.notes.line(
      `Its secret, by which deliveries are verified, and which is shown only now: ${secret}`,
    );
  }
  context.notes.line(`Try it: holdfast notification:test ${name}`);
  return exitStatus.done;
}
