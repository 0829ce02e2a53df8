import { exitStatus } from '@holdfast/base';
import type { Deletion, Environment, Mount } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import {
  environmentHelp,
  type ObjectOptions,
  objectOptions,
  serverCommand,
} from '../../command/shared-options.ts';
import { factLines } from '../../output/facts.ts';
import { writeObject } from '../../output/object.ts';
import { formatTime } from '../../output/quantities.ts';
import { titledTableLines } from '../../output/table.ts';
import { chooseEnvironment } from '../../server/choose-environment.ts';
import { connect } from '../../server/connect.ts';

export function environmentGetCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return objectOptions(
    serverCommand(
      'environment:get',
      'Show an environment: components, instances, and every mount with yes or no',
    ),
  )
    .argument('[environment]', environmentHelp)
    .example('environment:get guestbook', 'which mounts of guestbook are backed up, and why')
    .action(
      cli.action(async (given: string | undefined, options: ObjectOptions) => {
        const client = await connect(context, options);
        const environment = await client.call('environment.get', {
          params: { environment: await chooseEnvironment(context, client, given) },
          signal: context.interrupts.signal,
        });
        writeObject(context, { object: environment, lines: environmentLines, options });
        return exitStatus.done;
      }),
    );
}

function environmentLines(environment: Environment, width: number): string[] {
  return [
    ...factLines(
      [
        ['Environment', `${environment.name} (${environment.id})`],
        ['State', environment.state],
        ['Deleted', deletionText(environment.deletion)],
        ['Deleted components', deletedComponentsText(environment)],
        ['Type', environment.type],
        ['Project', environment.project],
        ['Node', environment.nodeName],
        ['Folder', environment.folder],
        [
          'Last backup',
          environment.lastBackupAtMs === null ? 'never' : formatTime(environment.lastBackupAtMs),
        ],
        ['Unfinished restore', unfinishedRestoreText(environment)],
        ['In no backup', writesOutsideText(environment)],
      ],
      width,
    ),
    '',
    ...titledTableLines(
      ['component', 'instance', 'state', 'backed up by'],
      environment.components.flatMap(({ name, instances }) =>
        instances.length === 0
          ? [[name, '-', 'no container', '-']]
          : instances.map((instance) => [name, instance.name, instance.state, wayOf(environment, name)]),
      ),
      width,
    ),
    '',
    ...titledTableLines(
      ['mount', 'backed up', 'why', 'mounted at'],
      environment.mounts.map((mount) => [
        mount.name,
        mount.included ? 'yes' : 'no',
        mount.reason,
        mountPointsText(mount),
      ]),
      width,
    ),
  ];
}

function wayOf({ commands }: Environment, component: string): string {
  return commands.some((each) => each.component === component && each.backup) ? 'its command' : 'its mounts';
}

function deletionText(deletion: Deletion | null): string | null {
  if (deletion === null) return null;
  return `${formatTime(deletion.atMs)}; its backups go after ${formatTime(deletion.untilMs)}`;
}

function deletedComponentsText({ deletedComponents }: Environment): string | null {
  if (deletedComponents.length === 0) return null;
  return deletedComponents
    .map(({ name, untilMs }) => `${name}: what is left of it goes after ${formatTime(untilMs)}`)
    .join('; ');
}

function unfinishedRestoreText({ name, unfinishedRestore }: Environment): string | null {
  if (unfinishedRestore === null) return null;
  const { backupId, startedAtMs, reason } = unfinishedRestore;
  return (
    `of ${backupId}, begun ${formatTime(startedAtMs)}: ${reason} ` +
    `The environment stays stopped until \`holdfast backup:restore ${backupId} --target ${name}\` completes it.`
  );
}

function writesOutsideText({ writesOutsideMounts }: Environment): string | null {
  if (writesOutsideMounts.length === 0) return null;
  return `what ${writesOutsideMounts.join(', ')} wrote inside the container, outside any mount`;
}

function mountPointsText({ mountPoints }: Mount): string {
  return mountPoints
    .map(({ component, path, readOnly }) => `${component}:${path}${readOnly ? ' (read-only)' : ''}`)
    .join(', ');
}
