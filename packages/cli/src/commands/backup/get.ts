import { exitStatus } from '@holdfast/base';
import type { Backup } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import {
  environmentHelp,
  type ObjectOptions,
  objectOptions,
  serverCommand,
} from '../../command/shared-options.ts';
import { longExpiry } from '../../output/expiry.ts';
import { factLines } from '../../output/facts.ts';
import { writeObject } from '../../output/object.ts';
import {
  formatBytes,
  formatCount,
  formatMilliseconds,
  formatNumberOf,
  formatTime,
} from '../../output/quantities.ts';
import { tableLines } from '../../output/table.ts';
import { connect } from '../../server/connect.ts';
import { resolveBackup } from '../../server/resolve-backup.ts';

interface GetOptions extends ObjectOptions {
  readonly environment?: string;
}

export function backupGetCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return objectOptions(serverCommand('backup:get', 'Show a backup with its parts'))
    .argument('[id]', 'the backup (default: the newest of the environment)')
    .option('-e, --environment <environment>', environmentHelp)
    .example('backup:get', 'the newest backup of the Compose project of this folder')
    .example('backup:get -P status', 'just one property of it')
    .action(
      cli.action(async (id: string | undefined, options: GetOptions) => {
        const client = await connect(context, options);
        const backup = await resolveBackup(context, client, { id, environment: options.environment });
        writeObject(context, { object: backup, lines: backupLines, options });
        return exitStatus.done;
      }),
    );
}

function backupLines(backup: Backup, width: number): string[] {
  return [
    ...factLines(
      [
        ['Backup', backup.id],
        ['Environment', `${backup.environmentName} (${backup.environmentId})`],
        ['Status', backup.status],
        ['Error', backup.error === null ? null : `${backup.error.message} [${backup.error.code}]`],
        ['Description', backup.description],
        ['Kind', `${backup.kind}, ${backup.mode}`],
        ...captureFacts(backup.capture),
        ['Components', backup.components.join(', ')],
        ['Commit', backup.commitId],
        ['Created', `${formatTime(backup.createdAtMs)} by ${backup.createdBy}`],
        ['Finished', backup.finishedAtMs === null ? null : formatTime(backup.finishedAtMs)],
        ['Pinned', backup.pinReason],
        ['Doubtful', backup.doubt],
        ['Expires', longExpiry(backup.expiry)],
        ['Size', backup.bytes === null ? null : formatBytes(backup.bytes)],
        ['New in the vault', backup.storedBytes === null ? null : formatBytes(backup.storedBytes)],
        ['Job', backup.jobId],
        ['Vault', backup.vaultId],
        ['Repository', backup.repository],
        ['Password file', backup.passwordFile],
        ['Manifest snapshot', backup.manifestSnapshotId],
      ],
      width,
    ),
    ...(backup.parts.length === 0 ? [] : ['', ...partLines(backup, width)]),
  ];
}

function captureFacts(capture: Backup['capture']): (readonly [string, string | null])[] {
  if (capture === null) return [];
  const { frozenMs, requestsHeld, longestWaitMs, unsteadyFiles } = capture;
  return [
    ['Paused for', frozenMs === null ? null : formatMilliseconds(frozenMs)],
    ['Requests held', requestsHeld === null ? null : formatCount(requestsHeld)],
    ['Longest wait', longestWaitMs === null ? null : formatMilliseconds(longestWaitMs)],
    ['Changed while read', unsteadyFiles === 0 ? null : formatNumberOf(unsteadyFiles, 'file')],
  ];
}

function partLines({ parts }: Backup, width: number): string[] {
  const left = (text: string) => ({ text, align: 'left' as const });
  const right = (text: string) => ({ text, align: 'right' as const });
  const header = [
    left('PART'),
    left('MOUNTED AT'),
    right('FILES'),
    right('SIZE'),
    right('NEW'),
    left('SNAPSHOT'),
  ];
  const rows = parts.map((part) => [
    left(part.name),
    left(originOf(part)),
    right(formatCount(part.files)),
    right(formatBytes(part.bytes)),
    right(formatBytes(part.storedBytes)),
    left(part.snapshotId.slice(0, 8)),
  ]);
  return tableLines([header, ...rows], width);
}

function originOf({ source, mountPoints }: Backup['parts'][number]): string {
  switch (source.kind) {
    case 'command':
      return `output of a command in ${source.component}`;
    case 'code':
      return 'code and configuration';
    case 'image':
      return `image of ${source.components.join(', ')}`;
    default:
      return mountPoints.map((point) => `${point.component}:${point.path}`).join(', ');
  }
}
