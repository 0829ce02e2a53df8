import type { ChunkWindows } from '../chunker/chunk-windows.ts';
import { readChunks, StreamReader } from '../snapshot/chunk-reader.ts';

/** The chunks of bytes that come in pieces of these sizes, over and over; all at once without them. */
export async function cutIntoChunks(
  windows: ChunkWindows,
  bytes: Buffer,
  pieceSizes: readonly number[] = [],
): Promise<Buffer[]> {
  const pool = {
    take: () => windows.take(),
    leave: (window: ReturnType<typeof windows.take>) => windows.give(window),
  };
  const chunks: Buffer[] = [];
  const source = new StreamReader(pieces(bytes, pieceSizes));
  for await (const chunk of readChunks(source, pool, {})) chunks.push(Buffer.from(chunk));
  return chunks;
}

async function* pieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer, void> {
  const isEndless = sizes.some((size) => size > 0);
  for (let start = 0, number = 0; start < bytes.length; number += 1) {
    const size = isEndless ? (sizes[number % sizes.length] ?? 0) : bytes.length;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}
