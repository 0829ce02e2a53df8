import { isHoldfastError } from '@holdfast/base';
import { ByteReader } from './byte-reader.ts';
import { hasTarMagic, isTarHeader } from './tar-block.ts';
import { tarBlockBytes } from './tar-header.ts';
import { type Compression, unpackedBytes } from './unpacked-bytes.ts';

export type ArchiveFormat = 'tar' | 'tar.gz' | 'tar.zst' | 'zip';

const gzipMagic = 0x1f8b;
const zstdMagic = 0xfd2fb528;
/** Of a frame to be passed over, which may come first: its last digit may be any. */
const zstdSkippableMagic = 0x184d2a50;
const zipEntryMagic = 0x04034b50;
const zipEmptyMagic = 0x06054b50;

/**
 * What kind of archive a file is, by what it begins with and never by its name. Undefined: none that we know; then it
 * may be what a command printed.
 * @throws HoldfastError `source-missing`, `source-unreadable`
 */
export async function archiveFormatOf(path: string): Promise<ArchiveFormat | undefined> {
  const start = await startOf(path, 'none');
  if (start.length < 4) return undefined;
  const magic = start.readUInt32LE(0);
  if (magic === zipEntryMagic || magic === zipEmptyMagic) return 'zip';
  if (start.readUInt16BE(0) === gzipMagic) return (await holdsTar(path, 'gzip')) ? 'tar.gz' : undefined;
  const isZstd = magic === zstdMagic || (magic & 0xfffffff0) >>> 0 === zstdSkippableMagic;
  if (isZstd) return (await holdsTar(path, 'zstd')) ? 'tar.zst' : undefined;
  return isTarStart(start) ? 'tar' : undefined;
}

async function holdsTar(path: string, compression: Compression): Promise<boolean> {
  try {
    return isTarStart(await startOf(path, compression));
  } catch (error) {
    if (isHoldfastError(error, 'archive-damaged')) return false;
    throw error;
  }
}

/** A header that says what it is may be damaged: then that is what has to be told. */
function isTarStart(start: Buffer): boolean {
  return isTarHeader(start) || hasTarMagic(start);
}

/** The first block of what is packed, or less if there is not more. */
async function startOf(path: string, compression: Compression): Promise<Buffer> {
  const reader = new ByteReader(unpackedBytes(path, compression));
  const pieces: Uint8Array[] = [];
  try {
    for (let left = tarBlockBytes; left > 0; ) {
      const piece = await reader.readSome(left);
      if (piece === undefined) break;
      pieces.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(pieces);
  } finally {
    await reader.close();
  }
}
