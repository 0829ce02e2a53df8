import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import {
  type ArchiveFormat,
  type ArchiveNote,
  archiveFormatSchema,
  archiveNotesHeader,
  type Backup,
  type Client,
  type Download,
  decodeArchiveNotes,
} from '@holdfast/protocol';
import { Option } from 'commander';
import { collect, durationMs } from '../../command/arguments.ts';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import { environmentHelp, serverCommand } from '../../command/shared-options.ts';
import type { CliContext } from '../../context.ts';
import { formatBytes, formatTime } from '../../output/quantities.ts';
import { writeWholeFile } from '../../output/whole-file.ts';
import { connect } from '../../server/connect.ts';
import { locateServer, type ServerOptions } from '../../server/locate-server.ts';
import { type IncomingDownload, openDownload } from '../../server/open-download.ts';
import { pathInBackup } from '../../server/path-in-backup.ts';
import { resolveBackup } from '../../server/resolve-backup.ts';
import { entryProgress } from '../../terminal/entry-progress.ts';
import { showProgress } from '../../terminal/show-progress.ts';

interface DownloadOptions extends ServerOptions {
  readonly environment?: string;
  readonly component?: readonly string[];
  readonly path?: string;
  readonly archive?: ArchiveFormat;
  readonly output?: string;
  readonly link?: boolean;
  readonly validFor?: number;
}

export function backupDownloadCommand(cli: Cli): CliCommand {
  return serverCommand('backup:download', 'Take a backup along: as an archive, or a file or folder of it')
    .argument('[id]', 'the backup (default: the newest ready one of the environment)')
    .option('-e, --environment <environment>', environmentHelp)
    .option('--component <name>', 'only this component; may be given several times', collect)
    .option('--path <path>', 'only PART, or PART/path in it; a file comes as it is')
    .addOption(
      new Option('--archive <format>', 'how to pack it (default: tar.zst)').choices(
        archiveFormatSchema.options,
      ),
    )
    .option(
      '-o, --output <file>',
      'where to; - for standard output (default: a name of its own, in this folder)',
    )
    .option('--link', 'download nothing: print a link with which anybody can')
    .option('--valid-for <duration>', 'how long the link is, as in 30m, 1h, 7d (default: 1h)', durationMs)
    .example('backup:download', 'the newest backup of the Compose project of this folder')
    .example('backup:download bak_0123456789abcdef --component db -o db.tar.zst', 'one component')
    .example('backup:download --archive zip -o shop.zip', 'as zip, which every desktop opens')
    .example('backup:download bak_0123456789abcdef --path guestbook_uploads/logo.png -o logo.png', 'one file')
    .action(
      cli.action((id: string | undefined, options: DownloadOptions) =>
        downloadBackup(cli.context, id, options),
      ),
    );
}

async function downloadBackup(
  context: CliContext,
  id: string | undefined,
  options: DownloadOptions,
): Promise<ExitStatus> {
  const client = await connect(context, options);
  const { environment, output } = options;
  if (output === '-' && context.output.isTerminal) throw nothingForTerminal();
  const backup = await resolveBackup(context, client, { id, environment, status: 'ready' });
  if (options.link === true) return await printLink(context, client, { backup, options });
  const response = await openDownload(client, {
    params: { backup: backup.id },
    query: whatOf({ backup, options }),
    signal: context.interrupts.signal,
  });
  if (output === '-') {
    await receive(context, response, context.output.stream);
    tellNotes(context, response);
    return exitStatus.done;
  }
  const path = resolve(context.folder, output ?? suggestedName(response, backup));
  if (output === undefined && existsSync(path)) throw isThere(path);
  let bytes = 0;
  await writeWholeFile(path, async (file) => {
    bytes = await receive(context, response, file);
  });
  context.output.line(path);
  context.notes.line(`${formatBytes(bytes)} of ${backup.id} of ${backup.environmentName}.`);
  tellNotes(context, response);
  return exitStatus.done;
}

interface Chosen {
  readonly backup: Backup;
  readonly options: DownloadOptions;
}

function whatOf({ backup, options: { component, path, archive } }: Chosen): Download {
  return {
    ...(component === undefined ? {} : { components: component.join(',') }),
    ...(path === undefined ? {} : pathInBackup(backup, path)),
    ...(archive === undefined ? {} : { format: archive }),
  };
}

async function printLink(context: CliContext, client: Client, chosen: Chosen): Promise<ExitStatus> {
  const { validFor, ...address } = chosen.options;
  const { path, expiresAtMs } = await client.call('backup.link', {
    params: { backup: chosen.backup.id },
    body: {
      ...whatOf(chosen),
      ...(validFor === undefined ? {} : { validForSeconds: Math.round(validFor / 1000) }),
    },
    signal: context.interrupts.signal,
  });
  const { url } = await locateServer(context, address);
  context.output.line(new URL(path, url).href);
  context.notes.line(`Whoever has it can download until ${formatTime(expiresAtMs)}.`);
  return exitStatus.done;
}

/** Answers how many bytes came. @throws HoldfastError `server-unreachable` when the download breaks off */
async function receive(context: CliContext, { body }: IncomingDownload, output: Writable): Promise<number> {
  let bytes = 0;
  const { signal } = context.interrupts;
  using view = showProgress(context);
  const progress = entryProgress(view, 'Downloading');
  let isCut = false;
  body.once('error', () => {
    isCut = output.errored === null;
  });
  body.on('data', (piece: Buffer) => {
    bytes += piece.length;
    progress.report({ files: 0, bytes });
  });
  try {
    await pipeline(body, output, { signal, end: false });
    return bytes;
  } catch (error) {
    signal.throwIfAborted();
    if (context.output.isClosed || !isCut) throw error;
    throw new HoldfastError('server-unreachable', 'The download broke off before its end.', {
      hint: 'Try again. The log of the server may say why.',
      cause: error,
    });
  }
}

function tellNotes({ notes }: CliContext, response: IncomingDownload): void {
  for (const { kind, count, paths } of decodeArchiveNotes(response.header(archiveNotesHeader) ?? null)) {
    const more = count > paths.length ? ', …' : '';
    notes.line(`${meaningOf[kind]}: ${count} (${paths.join(', ')}${more}).`);
  }
}

const meaningOf: Readonly<Record<ArchiveNote['kind'], string>> = {
  'left-out': 'Sockets, pipes or devices that are not in it',
  'not-importable': 'Devices or pipes, for which an import refuses it (--archive zip leaves them out)',
  'several-names': 'Names of hard links, each a file of its own in it',
  'without-attributes': 'Entries without their extended attributes and access lists in it',
};

/** What the server calls it, as a name in this folder. */
function suggestedName(response: IncomingDownload, backup: Backup): string {
  const encoded = /filename\*=UTF-8''(?<name>[^;]+)/i.exec(response.header('content-disposition') ?? '')
    ?.groups?.name;
  const name = basename(decodeURIComponent(encoded ?? '')).replace(/^\.+/, '');
  return name === '' ? `${backup.id}.download` : name;
}

function isThere(path: string): HoldfastError {
  return new HoldfastError('usage-invalid', `${path} is there already.`, {
    hint: 'Name another file (-o), or the same one to replace it.',
  });
}

function nothingForTerminal(): HoldfastError {
  return new HoldfastError('usage-invalid', 'A download is nothing for a terminal.', {
    hint: 'Send it to a file (-o FILE) or to another program.',
  });
}
