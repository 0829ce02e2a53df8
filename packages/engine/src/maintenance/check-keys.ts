import { isHoldfastError } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import { asId } from '../format/id-codec.ts';
import type { KeyId } from '../format/ids.ts';
import { decodeKeyFile } from '../format/key-file.ts';
import type { Repository } from '../repository/repository.ts';
import type { CheckOptions } from './check-scope.ts';
import type { Finding } from './finding.ts';

/** Looks at every key file: a damaged one locks out whoever has only its password. */
export async function* checkKeys(
  { storage: { backend } }: Repository,
  { signal }: CheckOptions,
): AsyncGenerator<Finding, void> {
  for await (const { id } of backend.list('key', { signal })) {
    const contents = await backend.load({ kind: 'key', id }, { signal });
    const reason = contents === undefined ? undefined : damageOf(contents, id);
    if (reason !== undefined)
      yield { severity: 'error', kind: 'key-damaged', keyId: asId<KeyId>(id), reason };
  }
}

function damageOf(contents: Buffer, id: string): string | undefined {
  if (sha256(contents) !== id) return `The key ${id} is damaged: its contents do not match its name.`;
  try {
    decodeKeyFile(contents);
    return undefined;
  } catch (error) {
    if (isHoldfastError(error, 'repository-damaged')) return error.message;
    throw error;
  }
}
