import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import { makePrivateFile } from './private-file.ts';

/**
 * What a data directory is called among servers that share a catalog: random, made at the first start and kept in
 * `server-id`. Neither a host name nor a path would do: two machines may well have the same.
 */
export async function readServerId(dataDirectory: string): Promise<string> {
  const path = join(dataDirectory, 'server-id');
  const id = (await makePrivateFile(path, `${randomBytes(8).toString('hex')}\n`)).trim();
  if (/^[0-9a-f]{16}$/.test(id)) return id;
  throw new HoldfastError(
    'configuration-invalid',
    `The file ${path} does not hold what Holdfast wrote there.`,
    {
      hint: 'Remove it if no other server uses this data directory: a new one is made.',
      context: { path },
    },
  );
}
