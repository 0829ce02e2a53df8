import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import type { BackupIntegrationChange } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import {
  environmentHelp,
  type ObjectOptions,
  objectOptions,
  serverCommand,
} from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { writeObject } from '../../output/object.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';
import { componentLines } from './component-lines.ts';

interface SetOptions extends ObjectOptions {
  readonly environment?: string;
  readonly preset?: string;
  readonly backupCommand?: string;
  readonly backupTimeout?: string;
  readonly backupCron?: string;
  readonly restoreCommand?: string;
  readonly restoreTimeout?: string;
  readonly retention?: string;
  readonly reset?: boolean;
}

export function componentSetCommand(cli: Cli): CliCommand {
  return objectOptions(
    serverCommand('component:set', 'Say by which commands a component is backed up and restored'),
  )
    .argument('<component>', 'its name: the Compose service')
    .option('-e, --environment <environment>', environmentHelp)
    .option(
      '--preset <name>',
      'postgres, mysql, mariadb, mongodb, redis, or sqlite:PATH: fills in both commands',
    )
    .option('--backup-command <line>', 'shell whose standard output is the backup')
    .option('--backup-timeout <duration>', 'how long it may take, as in 90s, 1h30m, 3d15h10m5s')
    .option('--backup-cron <cron>', 'when automated backups of it are taken')
    .option('--restore-command <line>', 'shell that takes a backup in on its standard input')
    .option('--restore-timeout <duration>', 'how long that may take')
    .option('--retention <duration>', 'how long automated backups are kept, as in 12h, 30d, 4w, 6M, 1y')
    .option('--reset', 'take back all that was set: its labels count again')
    .addHelpText('after', '\nAn empty value takes back one setting. What is set here beats the labels.')
    .example('component:set db --preset postgres', 'dump PostgreSQL, rather than copying its files')
    .example(
      'component:set app --backup-command "tar -c /state" --restore-command "tar -x -C /"',
      'commands of your own',
    )
    .action(
      cli.action((component: string, options: SetOptions) => setComponent(cli.context, component, options)),
    );
}

async function setComponent(
  context: CliContext,
  component: string,
  options: SetOptions,
): Promise<ExitStatus> {
  const backups = changeOf(options);
  const client = await connect(context, options);
  const environment = await chooseEnvironment(context, client, options.environment);
  const object = await client.call('component.update', {
    params: { environment, component },
    body: { integrations: { backups } },
    signal: context.interrupts.signal,
  });
  writeObject(context, { object, lines: componentLines, options });
  return exitStatus.done;
}

/** @throws HoldfastError `usage-invalid` when nothing is to be changed */
function changeOf(options: SetOptions): BackupIntegrationChange | null {
  if (options.reset === true) return null;
  const change = {
    preset: setting(options.preset),
    backup: {
      command: setting(options.backupCommand),
      timeout: setting(options.backupTimeout),
      cron_string: setting(options.backupCron),
    },
    restore: {
      command: setting(options.restoreCommand),
      timeout: setting(options.restoreTimeout),
    },
    retention: setting(options.retention),
  };
  const values = [
    change.preset,
    change.retention,
    ...Object.values(change.backup),
    ...Object.values(change.restore),
  ];
  if (values.every((value) => value === undefined)) {
    throw new HoldfastError('usage-invalid', 'There is nothing to set.', {
      hint: 'Name a preset or a command: see holdfast component:set --help.',
    });
  }
  return change;
}

function setting(value: string | undefined): string | null | undefined {
  return value === '' ? null : value;
}
