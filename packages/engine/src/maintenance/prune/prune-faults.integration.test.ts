import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, FileKind } from '../../backend/backend.ts';
import { LocalBackend } from '../../backend/local/local-backend.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { FaultBackend } from '../../testing/fault-backend.ts';
import type { BackendMethod, FaultEffect } from '../../testing/fault-script.ts';
import { quickRuntime } from '../../testing/quick-runtime.ts';
import { saveSnapshot } from '../../testing/saved-directory.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { testBytes } from '../../testing/test-bytes.ts';
import { type TestRepository, testPassword, testRepository } from '../../testing/test-repository.ts';
import { checkRepository } from '../check.ts';
import { forgetSnapshots } from '../forget.ts';
import { executePrune } from './execute-prune.ts';
import { planPrune } from './plan-prune.ts';

const chunk = (name: string): Buffer => testBytes(name, 30_000);

let template: TestRepository;

/** Packs to keep, to repack and to remove, and one that no index names. */
beforeAll(async () => {
  template = await testRepository({ locksAtOnce: true });
  const { repository, backend } = template;
  const gone = await saveSnapshot(repository, {
    one: chunk('1'),
    two: chunk('2'),
    dir: { three: chunk('3') },
  });
  await saveSnapshot(repository, { one: chunk('1'), dir: { three: chunk('3') } });
  await using lock = await repository.lock('shared');
  await forgetSnapshots(repository, [gone], { lock });
  await backend.save({ kind: 'data', id: 'ab'.repeat(32) }, [chunk('debris')]);
});

afterAll(async () => {
  await template[Symbol.asyncDispose]();
});

async function open(backend: Backend): Promise<Repository> {
  return await openRepository({ backend, password: testPassword, runtime: quickRuntime() });
}

async function prune(repository: Repository): Promise<void> {
  await using lock = await repository.lock('exclusive');
  await executePrune(await planPrune(repository, { lock, maxUnused: 0 }));
}

async function errorsOf(repository: Repository): Promise<unknown[]> {
  const findings = await Array.fromAsync(checkRepository(repository, { readData: true }));
  return findings.filter(({ severity }) => severity === 'error');
}

interface Fault {
  readonly method: BackendMethod;
  readonly kind: FileKind;
  readonly effect: FaultEffect;
}

/** False when there was no such call any more. */
async function pruneWithFault({ method, kind, effect }: Fault, call: number): Promise<boolean> {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'repository');
  await cp(template.path, path, { recursive: true });
  const sound = await open(new LocalBackend(path));
  const { snapshots } = await sound.snapshots.list();
  const backend = new FaultBackend(new LocalBackend(path), [{ method, kind, effect, calls: [call] }]);
  const faulty = await open(backend);
  const outcome = await prune(faulty).then(
    () => 'done',
    (error: unknown) => error,
  );
  const wasUsed = backend.script.unused.length === 0;
  if (wasUsed) expect(outcome).toMatchObject({ code: 'storage-unreachable' });
  else expect(outcome).toBe('done');

  expect(await errorsOf(sound)).toEqual([]);
  if (wasUsed) expect(await errorsOf(faulty)).toEqual([]);
  await prune(sound);
  expect(await Array.fromAsync(checkRepository(sound, { readData: true }))).toEqual([]);
  expect((await sound.snapshots.list()).snapshots).toEqual(snapshots);
  await using lock = await sound.lock('exclusive');
  expect((await planPrune(sound, { lock, maxUnused: 0 })).isEmpty).toBe(true);
  return wasUsed;
}

describe('a prune that a fault cut off leaves all snapshots whole, and the next one completes it', () => {
  const faults: readonly Fault[] = [
    { method: 'save', kind: 'data', effect: 'fails' },
    { method: 'save', kind: 'data', effect: 'fails-after' },
    { method: 'save', kind: 'index', effect: 'fails' },
    { method: 'save', kind: 'index', effect: 'fails-after' },
    { method: 'remove', kind: 'index', effect: 'fails' },
    { method: 'remove', kind: 'index', effect: 'fails-after' },
    { method: 'remove', kind: 'data', effect: 'fails' },
    { method: 'remove', kind: 'data', effect: 'fails-after' },
    { method: 'list', kind: 'snapshot', effect: 'fails-after' },
    { method: 'list', kind: 'index', effect: 'fails-after' },
    { method: 'list', kind: 'data', effect: 'fails-after' },
    { method: 'load', kind: 'snapshot', effect: 'fails' },
    { method: 'load', kind: 'index', effect: 'fails' },
    { method: 'loadRange', kind: 'data', effect: 'fails' },
  ];

  it.each(faults)('$method of $kind: $effect', async (fault) => {
    let call = 1;
    while (await pruneWithFault(fault, call)) call += 1;
    expect(call).toBeGreaterThan(1);
  });
});
