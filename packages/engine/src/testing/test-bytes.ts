import { createCipheriv, hash } from 'node:crypto';

/** Incompressible bytes that are the same each time: an AES-256-CTR key stream under the SHA-256 of `seed`. */
export function testBytes(seed: string, sizeBytes: number): Buffer {
  const cipher = createCipheriv('aes-256-ctr', hash('sha256', seed, 'buffer'), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(sizeBytes));
}
