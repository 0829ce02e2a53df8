const blockBytes = 512;

export type FirstEntry =
  | { readonly outcome: 'file'; readonly content: Buffer; readonly mode: number }
  | { readonly outcome: 'not-a-file' }
  | { readonly outcome: 'too-large' }
  | { readonly outcome: 'damaged' };

interface Header {
  readonly type: string;
  readonly sizeBytes: number;
  readonly mode: number;
}

/**
 * Reads the first entry of a tar stream (POSIX ustar with pax and GNU extension headers), then lets the stream go. At
 * most `maxBytes` and a few blocks are held. An extension header that is larger than that counts as damage.
 */
export async function readFirstEntry(
  stream: AsyncIterable<string | Buffer>,
  { maxBytes }: { readonly maxBytes: number },
): Promise<FirstEntry> {
  const reader = new BlockReader(stream);
  try {
    for (;;) {
      const block = await reader.take(blockBytes);
      const header = block === undefined ? undefined : parseHeader(block);
      if (header === undefined) return { outcome: 'damaged' };
      const describesNextEntry = 'xgLK'.includes(header.type);
      if (!describesNextEntry && header.type !== '0') return { outcome: 'not-a-file' };
      if (header.sizeBytes > maxBytes) return { outcome: describesNextEntry ? 'damaged' : 'too-large' };
      const content = await reader.take(header.sizeBytes);
      if (content === undefined) return { outcome: 'damaged' };
      if (!describesNextEntry) return { outcome: 'file', content, mode: header.mode };
      await reader.take(-header.sizeBytes & (blockBytes - 1));
    }
  } finally {
    await reader.close();
  }
}

function parseHeader(block: Buffer): Header | undefined {
  const octal = (start: number, end: number): number => {
    const text = block.toString('latin1', start, end).replace(/[\0 ]+$/, '');
    return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  };
  const typeByte = block.toString('latin1', 156, 157);
  const header = {
    type: typeByte === '\0' ? '0' : typeByte,
    sizeBytes: octal(124, 136),
    mode: octal(100, 108),
  };
  const isWhole = octal(148, 156) === checksum(block) && !Number.isNaN(header.mode);
  // A size beyond eight gibibytes is written in binary: too large in any case.
  if (isWhole && (block[124] ?? 0) >= 0x80) return { ...header, sizeBytes: Number.POSITIVE_INFINITY };
  return isWhole && !Number.isNaN(header.sizeBytes) ? header : undefined;
}

function checksum(block: Buffer): number {
  let sum = 0;
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  return sum;
}

class BlockReader {
  readonly #chunks: AsyncIterator<string | Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<string | Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Exactly this many bytes, or `undefined` when the stream ends before. */
  async take(lengthBytes: number): Promise<Buffer | undefined> {
    const parts = [this.#held];
    let gathered = this.#held.length;
    while (gathered < lengthBytes) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      const chunk = Buffer.from(next.value);
      parts.push(chunk);
      gathered += chunk.length;
    }
    const all = Buffer.concat(parts);
    this.#held = all.subarray(lengthBytes);
    return all.subarray(0, lengthBytes);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
