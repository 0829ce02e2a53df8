import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { BackupId, Client, Job, UploadId } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';
import { formatBytes } from '../output/quantities.ts';
import { showProgress } from '../terminal/show-progress.ts';

export interface ImportChoice {
  /** Id or name. */
  readonly environment: string;
  readonly source: ImportSource;
  readonly component?: string | undefined;
  readonly part?: string | undefined;
  readonly description?: string | undefined;
}

export type ImportSource = { readonly url: string } | { readonly file: string };

/**
 * The one source that was given.
 * @throws HoldfastError `usage-invalid` for none, and for both
 */
export function importSource(url: string | undefined, file: string | undefined): ImportSource {
  if (url !== undefined && file === undefined) return { url };
  if (file !== undefined && url === undefined) return { file };
  throw new HoldfastError('usage-invalid', 'Give a URL, or a file: one of them.', {
    hint: 'The server downloads what is at a URL; a file of this machine is sent to it.',
  });
}

/** Has the server make a backup of the source: sends it the file, if it is one, and begins the job. */
export async function startImport(
  context: CliContext,
  client: Client,
  { environment, source, ...choice }: ImportChoice,
): Promise<{ readonly job: Job; readonly backupId: BackupId }> {
  const from = 'url' in source ? { url: source.url } : { upload: await upload(context, client, source.file) };
  return await client.call('import.create', {
    params: { environment },
    body: { ...choice, ...from },
    signal: context.interrupts.signal,
  });
}

async function upload(context: CliContext, client: Client, path: string): Promise<UploadId> {
  const file = await openFile(resolve(context.folder, path));
  context.notes.line(`Sending ${path} (${formatBytes(file.size)}) to the server.`);
  using progress = showProgress(context);
  let bytes = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform: (piece, sent) => {
      bytes += piece.length;
      progress.update({ label: 'sending', files: 0, filesTotal: null, bytes, bytesTotal: file.size });
      sent.enqueue(piece);
    },
  });
  const { signal } = context.interrupts;
  const { id } = await client.upload('upload.create', file.stream().pipeThrough(counted), { signal });
  return id;
}

async function openFile(path: string): Promise<Blob> {
  try {
    // A blob does not tell why it cannot be.
    await stat(path);
    return await openAsBlob(path);
  } catch (error) {
    const code = systemErrorCode(error);
    throw new HoldfastError(
      code === 'ENOENT' ? 'source-missing' : 'source-unreadable',
      code === 'ENOENT' ? `There is no file ${path}.` : `The file ${path} cannot be read.`,
      { hint: 'Name a file of this machine that you may read.', context: { path }, cause: error },
    );
  }
}
