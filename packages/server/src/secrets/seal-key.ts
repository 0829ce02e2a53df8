import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import { makePrivateFile } from './private-file.ts';
import { createSealer, type Sealer, sealKeyBytes } from './sealer.ts';

export function sealKeyPath(dataDirectory: string): string {
  return join(dataDirectory, 'seal.key');
}

/**
 * Opens `seal.key` of the data directory; makes it at the first start.
 *
 * @throws HoldfastError `secret-unreadable` when the file holds no key
 */
export async function openSealKey(dataDirectory: string): Promise<Sealer> {
  const path = sealKeyPath(dataDirectory);
  const text = await makePrivateFile(path, `${randomBytes(sealKeyBytes).toString('hex')}\n`);
  if (!/^[0-9a-f]{64}$/.test(text.trim())) {
    throw new HoldfastError('secret-unreadable', `The file ${path} does not hold a seal key.`, {
      hint: 'Put back the file that belongs to this catalog.',
      context: { path },
    });
  }
  return createSealer(Buffer.from(text.trim(), 'hex'));
}
