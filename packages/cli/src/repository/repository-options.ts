import { Option } from 'commander';
import { collect, durationMs, positiveInteger } from '../command/arguments.ts';
import { CliCommand } from '../command/cli-command.ts';

/** What every command straight on a repository takes; the names are restic's. */
export interface RepositoryOptions {
  readonly repository?: string;
  readonly repo?: string;
  readonly repositoryFile?: string;
  readonly passwordFile?: string;
  readonly passwordCommand?: string;
  readonly json?: boolean;
  /** `KEY=VALUE`, several times. */
  readonly option?: readonly string[];
  /** KiB per second. */
  readonly limitUpload?: number;
  readonly limitDownload?: number;
  readonly cacheDir?: string;
  readonly cache?: boolean;
}

export interface LockedRepositoryOptions extends RepositoryOptions {
  readonly retryLock?: number;
}

export interface ReadingRepositoryOptions extends LockedRepositoryOptions {
  readonly lock: boolean;
}

const repositoryHeading = 'Repository:';
const lockHeading = 'Lock:';

const accessOptions = [
  new Option(
    '-r, --repository <location>',
    'the repository: a directory, or s3:https://HOST/BUCKET/FOLDER (default: RESTIC_REPOSITORY)',
  ),
  new Option('--repo <location>', "restic's name for --repository").hideHelp(),
  new Option('--repository-file <file>', 'file that says where it is (default: RESTIC_REPOSITORY_FILE)'),
  new Option(
    '-p, --password-file <file>',
    'file with its password (default: RESTIC_PASSWORD_FILE; RESTIC_PASSWORD has the password itself)',
  ),
  new Option(
    '--password-command <command>',
    'program that prints the password (default: RESTIC_PASSWORD_COMMAND)',
  ),
];

const storageHeading = 'Storage:';

const storageOptions = [
  new Option('--limit-upload <rate>', 'send no more than so many KiB per second').argParser(positiveInteger),
  new Option('--limit-download <rate>', 'receive no more than so many KiB per second').argParser(
    positiveInteger,
  ),
  new Option(
    '--cache-dir <directory>',
    'keep metadata of remote repositories there (default: ~/.cache/holdfast)',
  ),
  new Option('--no-cache', 'keep no metadata of remote repositories'),
  new Option(
    '-o, --option <key=value>',
    's3.region=NAME, s3.bucket-lookup=auto|dns|path or s3.connections=N; may be given several times',
  ).argParser(collect),
];

/** A command that works on a repository without a server. */
export function repositoryCommand(name: string, summary: string): CliCommand {
  const command = new CliCommand(name).description(summary);
  for (const option of accessOptions) command.addOption(option.helpGroup(repositoryHeading));
  for (const option of storageOptions) command.addOption(option.helpGroup(storageHeading));
  return command.option('--json', 'print JSON');
}

/** Adds what a command takes that locks the repository. */
export function lockOptions(command: CliCommand): CliCommand {
  return command.addOption(
    new Option('--retry-lock <duration>', 'wait so long for locks of others, as in 30s, 5m, 1h')
      .argParser(durationMs)
      .helpGroup(lockHeading),
  );
}

/** The same, for commands that only read and so can do without. */
export function readingLockOptions(command: CliCommand): CliCommand {
  return lockOptions(command).addOption(
    new Option('--no-lock', 'do not lock: only where nothing can delete meanwhile').helpGroup(lockHeading),
  );
}
