import { createCipheriv, createHash } from 'node:crypto';

/** Bytes that nothing compresses, the same for the same seed. */
export class RandomBytes {
  readonly #cipher;

  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest();
    this.#cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  }

  next(length: number): Buffer {
    return this.#cipher.update(Buffer.alloc(length));
  }

  /** From 0 up to, and without, the limit. */
  integer(limit: number): number {
    return this.next(6).readUIntLE(0, 6) % limit;
  }
}

const words = 'time level node server request answer error warning volume backup user session cache'.split(
  ' ',
);

/** Lines as logs have them: they compress to about a fifth, and no two blocks are the same. */
export function logLines(random: RandomBytes, length: number): Buffer {
  const lines: string[] = [];
  for (let size = 0; size < length; size += lines.at(-1)?.length ?? 0) {
    const numbers = random.next(12);
    const picked = [...numbers.subarray(0, 6)].map((byte) => words[byte % words.length]);
    lines.push(`${numbers.readUInt32LE(6)} ${picked.join(' ')} id=${numbers.toString('hex', 8)}\n`);
  }
  return Buffer.from(lines.join('')).subarray(0, length);
}

/** As data directories are: text between what is compressed already. */
export function mixedBytes(random: RandomBytes, length: number): Buffer {
  const textBytes = Math.floor(length / 2);
  return Buffer.concat([logLines(random, textBytes), random.next(length - textBytes)]);
}
