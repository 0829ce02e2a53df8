import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { Abortable } from '@holdfast/base';
import { type ContentsRequest, writeTar, writeZip, zstdParameters } from '@holdfast/engine';
import type { ArchiveFormat } from '@holdfast/protocol';

const mediaTypes: Readonly<Record<ArchiveFormat, string>> = {
  'tar.zst': 'application/zstd',
  'tar.gz': 'application/gzip',
  tar: 'application/x-tar',
  zip: 'application/zip',
};

/** What a compressor passes on at a time, in bytes. */
const chunkSize = 256 * 1024;

/** `writeZip` or `writeTar` of the engine. */
export function writerOf(format: ArchiveFormat): (request: ContentsRequest) => Promise<number> {
  return format === 'zip' ? writeZip : writeTar;
}

/**
 * Sends what `write` writes, compressed as the format says; a zip is compressed by who writes it. The name is that of the
 * file that a browser saves.
 */
export async function sendCompressed(
  response: ServerResponse,
  { format, fileName, signal }: { readonly format: ArchiveFormat; readonly fileName: string } & Abortable,
  write: (output: Writable) => Promise<unknown>,
): Promise<void> {
  response.writeHead(200, {
    'content-type': mediaTypes[format],
    'content-disposition': attachment(`${fileName}.${format}`),
  });
  if (format === 'tar' || format === 'zip') {
    await write(response);
    return;
  }
  const compressor =
    format === 'tar.gz'
      ? createGzip({ level: 4, chunkSize })
      : createZstdCompress({ params: zstdParameters, chunkSize });
  const sent = pipeline(compressor, response, { end: false, signal });
  sent.catch(() => {});
  try {
    await write(compressor);
    compressor.end();
    await finished(compressor);
  } catch (error) {
    compressor.destroy();
    throw error;
  }
  await sent;
}

/** Quoted for browsers that know no more, and in full for all others. */
export function attachment(fileName: string): string {
  const plain = fileName.replaceAll(/[^\w.-]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(fileName)}`;
}
