import { join } from 'node:path';
import type { Backend } from '../backend/backend.ts';
import { LocalBackend } from '../backend/local/local-backend.ts';
import type { TreeId } from '../format/ids.ts';
import type { SnapshotRecord } from '../format/snapshot-file.ts';
import { utcTimestamp } from '../format/timestamp.ts';
import { initRepository } from '../repository/init-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { systemRuntime } from '../repository/runtime.ts';
import { quickScrypt } from './manual-runtime.ts';
import { quickRuntime } from './quick-runtime.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export const testPassword = 'correct horse';

export interface TestRepository extends AsyncDisposable {
  readonly path: string;
  readonly backend: Backend;
  readonly repository: Repository;
}

/** A new repository in a directory of its own, which goes with it. `locksAtOnce`: where nobody else locks it meanwhile. */
export async function testRepository({ locksAtOnce = false } = {}): Promise<TestRepository> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'repository');
  const backend = new LocalBackend(path);
  const runtime = locksAtOnce ? quickRuntime() : { ...systemRuntime(), scrypt: quickScrypt };
  const repository = await initRepository({ backend, passwords: [testPassword], runtime });
  return { path, backend, repository, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

/** A snapshot of nobody's, taken at that many milliseconds since the epoch. */
export function snapshotOf(tree: TreeId, fields: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return {
    time: utcTimestamp(0),
    tree,
    paths: ['/data'],
    hostname: 'anvil',
    username: 'smith',
    uid: 0,
    gid: 0,
    excludes: [],
    tags: [],
    ...fields,
  };
}
