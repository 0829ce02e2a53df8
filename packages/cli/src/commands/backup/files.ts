import { exitStatus } from '@holdfast/base';
import { type Backup, type Client, isOneFile, type ListedFile } from '@holdfast/protocol';
import type { Cli } from '../../command/cli.ts';
import type { CliCommand } from '../../command/cli-command.ts';
import {
  environmentHelp,
  type RecordOptions,
  recordOptions,
  serverCommand,
} from '../../command/shared-options.ts';
import { sizeColumn, timeColumn } from '../../output/columns.ts';
import { type Columns, writeRecords } from '../../output/records.ts';
import { connect } from '../../server/connect.ts';
import { pathInBackup } from '../../server/path-in-backup.ts';
import { resolveBackup } from '../../server/resolve-backup.ts';

/** A part as the top folder that it looks like, or what is in one. */
type Listed = Pick<ListedFile, 'name' | 'type' | 'size'> & Partial<ListedFile>;

const columns: Columns<Listed> = {
  name: { title: 'name', raw: ({ name }) => name },
  type: { title: 'type', raw: ({ type }) => type },
  size: sizeColumn('size', ({ type, size }) => (type === 'dir' ? null : size)),
  modified: timeColumn('modified', ({ modifiedAtMs }) => modifiedAtMs ?? null),
  mode: { title: 'mode', raw: ({ mode }) => mode?.toString(8).padStart(4, '0') ?? null },
  uid: { title: 'uid', align: 'right', raw: ({ uid }) => uid ?? null },
  gid: { title: 'gid', align: 'right', raw: ({ gid }) => gid ?? null },
  target: { title: 'target', raw: ({ linkTarget }) => linkTarget ?? null },
};
const shown = ['name', 'type', 'size', 'modified', 'mode'];
const shownOfParts = ['name', 'type', 'size'];

interface FilesOptions extends RecordOptions {
  readonly environment?: string;
}

export function backupFilesCommand(cli: Cli): CliCommand {
  const { context } = cli;
  return recordOptions(serverCommand('backup:files', 'List the files of a backup, folder by folder'), {
    columns,
    shown,
  })
    .argument('[id]', 'the backup (default: the newest ready one of the environment)')
    .argument('[path]', 'PART, or PART/path of a folder in it (default: the parts)')
    .option('-e, --environment <environment>', environmentHelp)
    .example('backup:files', 'the parts of the newest backup')
    .example('backup:files bak_0123456789abcdef guestbook_uploads/2026', 'what is in a folder')
    .action(
      cli.action(async (id: string | undefined, path: string | undefined, options: FilesOptions) => {
        const client = await connect(context, options);
        const { environment } = options;
        const backup = await resolveBackup(context, client, { id, environment, status: 'ready' });
        const { signal } = context.interrupts;
        const items =
          path === undefined ? backup.parts.map(partAsFile) : await filesAt(client, { backup, path, signal });
        writeRecords(context, {
          items,
          columns,
          shown: path === undefined ? shownOfParts : shown,
          chosen: options.columns,
          format: options.format,
          emptyNote: 'The folder is empty.',
        });
        return exitStatus.done;
      }),
    );
}

function partAsFile({ name, source, bytes }: Backup['parts'][number]): Listed {
  return { name, type: isOneFile(source) ? 'file' : 'dir', size: bytes };
}

async function filesAt(
  client: Client,
  { backup, path, signal }: { readonly backup: Backup; readonly path: string; readonly signal: AbortSignal },
): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  const place = pathInBackup(backup, path);
  let after: string | undefined;
  do {
    const query = { ...place, after };
    const page = await client.call('backup.files', { params: { backup: backup.id }, query, signal });
    files.push(...page.files);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return files;
}
