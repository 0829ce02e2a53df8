const magic = 0xfd2f_b528;
const descriptorOffset = 4;
const singleSegmentBit = 0x20;
const dictionaryIdBytes: readonly number[] = [0, 1, 2, 4];
const contentSizeBytes: readonly number[] = [0, 2, 4, 8];

/**
 * The length of the contents as the header of a zstd frame tells it (RFC 8878, section 3.1.1.1); undefined if it does
 * not, or this is no frame. Whether it is true shows when the frame is decompressed.
 */
export function frameContentBytes(frame: Uint8Array): number | undefined {
  const header = Buffer.from(frame.buffer, frame.byteOffset, Math.min(frame.byteLength, 18));
  if (header.length < 18 || header.readUInt32LE() !== magic) return undefined;
  const descriptor = header.readUInt8(descriptorOffset);
  const isSingleSegment = (descriptor & singleSegmentBit) !== 0;
  const windowBytes = isSingleSegment ? 0 : 1;
  const at = descriptorOffset + 1 + windowBytes + (dictionaryIdBytes[descriptor & 3] ?? 0);
  switch (contentSizeBytes[descriptor >> 6]) {
    case 2:
      return header.readUInt16LE(at) + 256;
    case 4:
      return header.readUInt32LE(at);
    case 8:
      return header.readUInt32LE(at) + header.readUInt32LE(at + 4) * 2 ** 32;
    default:
      return isSingleSegment ? header.readUInt8(at) : undefined;
  }
}
