import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { type Abortable, throwIfAborted } from '@holdfast/base';
import { sourceError } from '../filesystem/system-error.ts';
import { toByteString } from '../format/byte-string.ts';
import { archiveDamaged, unreadableArchive } from './archive-errors.ts';

const pieceBytes = 256 * 1024;

export type Compression = 'gzip' | 'zstd' | 'none';

/**
 * The bytes that are packed in a file, in any number of gzip members or zstd frames one after the other. Zeros after
 * the last are what fills a tape.
 * @throws HoldfastError `archive-damaged`, `source-missing`, `source-unreadable`, `interrupted`
 */
export async function* unpackedBytes(
  path: string,
  compression: Compression,
  { signal }: Abortable = {},
): AsyncGenerator<Uint8Array, void> {
  const file = await openSource(path);
  try {
    const { size } = await file.stat();
    for (let position = 0; position < size; ) {
      throwIfAborted(signal);
      if (position > 0 && (await isZeroFrom(file, position))) return;
      position = yield* memberAt({ file, path, signal }, position, compression);
    }
  } finally {
    await file.close();
  }
}

async function openSource(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw sourceError(error, toByteString(path));
  }
}

interface Source extends Abortable {
  readonly file: FileHandle;
  readonly path: string;
}

/** Answers where it ends. */
async function* memberAt(
  source: Source,
  position: number,
  compression: Compression,
): AsyncGenerator<Uint8Array, number> {
  const packed = bytesFrom(source, position);
  if (compression === 'none') return yield* packed;
  const input = Readable.from(packed, { objectMode: false, highWaterMark: pieceBytes });
  const options = { chunkSize: pieceBytes };
  const unpacked = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  input.on('error', (error) => unpacked.destroy(error));
  input.pipe(unpacked);
  try {
    for await (const piece of unpacked) yield piece;
  } catch (error) {
    throw unreadableArchive(error);
  } finally {
    input.destroy();
    unpacked.destroy();
  }
  if (unpacked.bytesWritten === 0) throw archiveDamaged('something that is not compressed follows its end');
  return position + unpacked.bytesWritten;
}

/** Up to the end of the file, which it answers. */
async function* bytesFrom(
  { file, path, signal }: Source,
  position: number,
): AsyncGenerator<Uint8Array, number> {
  for (let at = position; ; ) {
    throwIfAborted(signal);
    const bytes = Buffer.allocUnsafeSlow(pieceBytes);
    const { bytesRead } = await file.read(bytes, 0, pieceBytes, at).catch((error: unknown) => {
      throw sourceError(error, toByteString(path));
    });
    if (bytesRead === 0) return at;
    yield bytes.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function isZeroFrom(file: FileHandle, position: number): Promise<boolean> {
  const bytes = Buffer.allocUnsafe(pieceBytes);
  for (let at = position; ; ) {
    const { bytesRead } = await file.read(bytes, 0, pieceBytes, at);
    if (bytesRead === 0) return true;
    if (bytes.subarray(0, bytesRead).some((byte) => byte !== 0)) return false;
    at += bytesRead;
  }
}
