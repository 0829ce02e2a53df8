import { type FileHandle, open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { BackupId, Client, Job, UploadId } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';
import { formatBytes } from '../output/quantities.ts';
import { showProgress } from '../terminal/show-progress.ts';

const pieceBytes = 256 * 1024;

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
  await using file = await openFile(resolve(context.folder, path));
  const { size: bytesTotal } = await file.stat();
  context.notes.line(`Sending ${path} (${formatBytes(bytesTotal)}) to the server.`);
  using progress = showProgress(context);
  const pieces = piecesOf(file, (bytes) =>
    progress.update({ label: 'sending', files: 0, filesTotal: null, bytes, bytesTotal }),
  );
  const { signal } = context.interrupts;
  const { id } = await client.upload('upload.create', ReadableStream.from(pieces), { signal });
  return id;
}

/** As fast as they are taken; a blob of the file would all be in memory. */
async function* piecesOf(
  file: FileHandle,
  onProgress: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void> {
  let bytes = 0;
  for await (const piece of file.createReadStream({ autoClose: false, highWaterMark: pieceBytes })) {
    bytes += piece.length;
    onProgress(bytes);
    yield piece;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const isDirectory = (await stat(path)).isDirectory();
    if (isDirectory) throw Object.assign(new Error('a directory'), { code: 'EISDIR' });
    return await open(path);
  } catch (error) {
    const code = systemErrorCode(error);
    throw new HoldfastError(
      code === 'ENOENT' ? 'source-missing' : 'source-unreadable',
      code === 'ENOENT' ? `There is no file ${path}.` : `${path} cannot be read (${code ?? 'unknown'}).`,
      { hint: 'Name a file of this machine that you may read.', context: { path }, cause: error },
    );
  }
}
