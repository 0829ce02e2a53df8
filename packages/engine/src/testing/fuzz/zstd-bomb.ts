const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const blockBytes = 128 * 1024;
const windowOf8MiB = (23 - 10) << 3;
const eightByteSize = 0xc0;
const repeatedByteBlock = 1;

/** A zstd frame of few bytes that holds so many: one byte over and over, in blocks of 128 KiB. */
export function zstdBomb(sizeBytes: number): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(sizeBytes));
  const blocks = Math.ceil(sizeBytes / blockBytes);
  const body = Buffer.alloc(blocks * 4);
  for (let block = 0; block < blocks; block += 1) {
    const isLast = block === blocks - 1;
    const length = isLast ? sizeBytes - block * blockBytes : blockBytes;
    body.writeUIntLE((length << 3) | (repeatedByteBlock << 1) | (isLast ? 1 : 0), block * 4, 3);
  }
  return Buffer.concat([magic, Buffer.of(eightByteSize, windowOf8MiB), size, body]);
}
