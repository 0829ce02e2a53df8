import type { Cli } from './command/cli.ts';
import type { CliCommand } from './command/cli-command.ts';
import { otherProgram } from './command/other-program.ts';
import { backupAcceptCommand } from './commands/backup/accept.ts';
import { backupCreateCommand } from './commands/backup/create.ts';
import { backupDeleteCommand } from './commands/backup/delete.ts';
import { backupDiffCommand } from './commands/backup/diff.ts';
import { backupDownloadCommand } from './commands/backup/download.ts';
import { backupFilesCommand } from './commands/backup/files.ts';
import { backupGetCommand } from './commands/backup/get.ts';
import { backupImportCommand } from './commands/backup/import.ts';
import { backupListCommand } from './commands/backup/list.ts';
import { backupLogCommand } from './commands/backup/log.ts';
import { backupPinCommand } from './commands/backup/pin.ts';
import { backupRestoreCommand } from './commands/backup/restore.ts';
import { backupUnpinCommand } from './commands/backup/unpin.ts';
import { catalogRebuildCommand } from './commands/catalog/rebuild.ts';
import { componentDeleteCommand } from './commands/component/delete.ts';
import { componentGetCommand } from './commands/component/get.ts';
import { componentSetCommand } from './commands/component/set.ts';
import { componentUndeleteCommand } from './commands/component/undelete.ts';
import { environmentDeleteCommand } from './commands/environment/delete.ts';
import { environmentGetCommand } from './commands/environment/get.ts';
import { environmentListCommand } from './commands/environment/list.ts';
import { environmentUndeleteCommand } from './commands/environment/undelete.ts';
import { jobCancelCommand } from './commands/job/cancel.ts';
import { jobListCommand } from './commands/job/list.ts';
import { jobWatchCommand } from './commands/job/watch.ts';
import { nodeAddCommand } from './commands/node/add.ts';
import { nodeListCommand } from './commands/node/list.ts';
import { nodeRemoveCommand } from './commands/node/remove.ts';
import { notificationAddCommand } from './commands/notification/add.ts';
import { notificationGetCommand } from './commands/notification/get.ts';
import { notificationListCommand } from './commands/notification/list.ts';
import { notificationRemoveCommand } from './commands/notification/remove.ts';
import { notificationTestCommand } from './commands/notification/test.ts';
import { notificationUpdateCommand } from './commands/notification/update.ts';
import { policyExplainCommand } from './commands/policy/explain.ts';
import { projectCurlCommand } from './commands/project/curl.ts';
import { repositoryBackupCommand } from './commands/repository/backup.ts';
import { repositoryCheckCommand } from './commands/repository/check.ts';
import { repositoryDumpCommand } from './commands/repository/dump.ts';
import { repositoryForgetCommand } from './commands/repository/forget.ts';
import { repositoryInitCommand } from './commands/repository/init.ts';
import { repositoryKeyCommand } from './commands/repository/key.ts';
import { repositoryLsCommand } from './commands/repository/ls.ts';
import { repositoryPasswordCommand } from './commands/repository/password.ts';
import { repositoryPruneCommand } from './commands/repository/prune.ts';
import { repositoryRestoreCommand } from './commands/repository/restore.ts';
import { repositorySnapshotsCommand } from './commands/repository/snapshots.ts';
import { repositoryStatsCommand } from './commands/repository/stats.ts';
import { repositoryUnlockCommand } from './commands/repository/unlock.ts';
import { scheduleGetCommand } from './commands/schedule/get.ts';
import { scheduleSetCommand } from './commands/schedule/set.ts';
import { statusCommand } from './commands/status/status.ts';
import { vaultAddCommand } from './commands/vault/add.ts';
import { vaultAdoptCommand } from './commands/vault/adopt.ts';
import { vaultCheckCommand } from './commands/vault/check.ts';
import { vaultKitCommand } from './commands/vault/kit.ts';
import { vaultListCommand } from './commands/vault/list.ts';
import { vaultRemoveCommand } from './commands/vault/remove.ts';
import { vaultTestCommand } from './commands/vault/test.ts';
import { vaultUpdateCommand } from './commands/vault/update.ts';
import { vaultUsageCommand } from './commands/vault/usage.ts';
import { emptyProgram } from './empty-program.ts';

const groups: readonly {
  readonly heading: string;
  readonly commands: readonly ((cli: Cli) => CliCommand)[];
}[] = [
  { heading: 'At a glance:', commands: [statusCommand] },
  {
    heading: 'Environments:',
    commands: [
      environmentListCommand,
      environmentGetCommand,
      environmentDeleteCommand,
      environmentUndeleteCommand,
      componentGetCommand,
      componentSetCommand,
      componentDeleteCommand,
      componentUndeleteCommand,
    ],
  },
  {
    heading: 'Backups:',
    commands: [
      backupCreateCommand,
      backupListCommand,
      backupGetCommand,
      backupLogCommand,
      backupDiffCommand,
      backupFilesCommand,
      backupDownloadCommand,
      backupRestoreCommand,
      backupImportCommand,
      backupAcceptCommand,
      backupPinCommand,
      backupUnpinCommand,
      backupDeleteCommand,
    ],
  },
  {
    heading: 'Schedules:',
    commands: [scheduleGetCommand, scheduleSetCommand, policyExplainCommand, projectCurlCommand],
  },
  { heading: 'Jobs:', commands: [jobListCommand, jobWatchCommand, jobCancelCommand] },
  { heading: 'Nodes:', commands: [nodeListCommand, nodeAddCommand, nodeRemoveCommand] },
  {
    heading: 'Vaults:',
    commands: [
      vaultListCommand,
      vaultAddCommand,
      vaultAdoptCommand,
      vaultTestCommand,
      vaultCheckCommand,
      vaultUsageCommand,
      vaultUpdateCommand,
      vaultRemoveCommand,
      vaultKitCommand,
      repositoryPasswordCommand,
    ],
  },
  {
    heading: 'Notifications:',
    commands: [
      notificationListCommand,
      notificationAddCommand,
      notificationGetCommand,
      notificationUpdateCommand,
      notificationTestCommand,
      notificationRemoveCommand,
    ],
  },
  {
    heading: 'Repositories, without a server:',
    commands: [
      repositoryInitCommand,
      repositoryBackupCommand,
      repositorySnapshotsCommand,
      repositoryLsCommand,
      repositoryDumpCommand,
      repositoryRestoreCommand,
      repositoryCheckCommand,
      repositoryForgetCommand,
      repositoryPruneCommand,
      repositoryStatsCommand,
      repositoryKeyCommand,
      repositoryUnlockCommand,
    ],
  },
  { heading: 'Server:', commands: [serverCommand, gateCommand, catalogRebuildCommand] },
];

/** The whole command line, with all commands. */
export function createProgram(cli: Cli): CliCommand {
  const program = emptyProgram(cli);
  for (const { heading, commands } of groups) {
    for (const create of commands) {
      program.addCommand(create(cli).copyInheritedSettings(program).helpGroup(heading));
    }
  }
  return program;
}

function serverCommand(cli: Cli): CliCommand {
  return otherProgram(cli, 'server')
    .description('Run the server, until it is told to stop')
    .example('server', 'run it with its data in HOLDFAST_DATA');
}

function gateCommand(cli: Cli): CliCommand {
  return otherProgram(cli, 'gate')
    .description('Run a proxy before a component, which holds requests while a backup freezes it')
    .example('gate --to http://app:3000 --listen 8080', 'stand before app');
}
