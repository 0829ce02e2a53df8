import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { localTimestamp } from '../../format/timestamp.ts';
import { checkRepository } from '../../maintenance/check.ts';
import { initRepository } from '../../repository/init-repository.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { systemRuntime } from '../../repository/runtime.ts';
import { backupSources } from '../../snapshot/backup.ts';
import { restoreSnapshot } from '../../snapshot/restore.ts';
import { sourcesFromArguments } from '../../snapshot/source-arguments.ts';
import { compareTrees } from '../../testing/compare-trees.ts';
import { FaultProxy } from '../../testing/fault-proxy.ts';
import { quickScrypt } from '../../testing/manual-runtime.ts';
import { type S3Place, s3Place, s3ServerUrl } from '../../testing/s3-place.ts';
import { stockRestics } from '../../testing/stock-restic.ts';
import { testBytes } from '../../testing/test-bytes.ts';
import { type BackendOptions, openBackend } from '../open-backend.ts';

const password = 'a password';
const runtime = { ...systemRuntime(), scrypt: quickScrypt };

let work: string;
let source: string;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'holdfast-s3-'));
  source = join(work, 'in', 'source');
  for (let folder = 0; folder < 8; folder += 1) {
    mkdirSync(join(source, `folder ${folder}`), { recursive: true });
    for (let file = 0; file < 10; file += 1) {
      writeFileSync(join(source, `folder ${folder}`, `file ${file}`), testBytes(`${folder} ${file}`, 3_000));
    }
  }
  writeFileSync(join(source, 'large'), testBytes('large', 5_000_000));
});

afterAll(() => rmSync(work, { recursive: true, force: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

let targets = 0;
function newTarget(): string {
  targets += 1;
  return join(work, `out ${targets}`);
}

/** Stock restic takes its credentials from the environment. */
async function placeInEnvironment(): Promise<S3Place> {
  const place = await s3Place();
  for (const [name, value] of Object.entries(place.env)) vi.stubEnv(name, value);
  return place;
}

async function open(
  location: string,
  options: BackendOptions & { readonly cacheDirectory?: string } = {},
): Promise<Repository> {
  const { cacheDirectory } = options;
  return await openRepository({ backend: openBackend(location, options), password, runtime, cacheDirectory });
}

async function backUp(repository: Repository): Promise<number> {
  await using lock = await repository.lock('shared');
  await using writer = await repository.openWriter({ lock });
  const { snapshots } = await repository.snapshots.list();
  const parent = snapshots.at(-1);
  const { treeId, summary } = await backupSources({
    writer,
    blobs: repository.blobs,
    polynomial: repository.polynomial,
    sources: sourcesFromArguments([source]),
    parent: parent && { treeId: parent.tree, startedAtMs: Date.now() },
    options: { localTime: true, ownerNames: true },
  });
  await writer.flush();
  const facts = {
    paths: [source],
    hostname: 'anvil',
    username: 'root',
    uid: 0,
    gid: 0,
    excludes: [],
    tags: [],
  };
  const time = localTimestamp(BigInt(Date.now()) * 1_000_000n);
  await repository.snapshots.save({ ...facts, time, tree: treeId }, { lock });
  return summary.storedBytes;
}

async function restoreLatest(repository: Repository): Promise<string[]> {
  await repository.refreshIndex();
  const targetPath = newTarget();
  mkdirSync(targetPath);
  const { tree } = await repository.snapshots.find('latest');
  await restoreSnapshot({ blobs: repository.blobs, treeId: tree, targetDirectory: targetPath });
  return compareTrees(source, join(targetPath, source));
}

async function errorsOf(repository: Repository): Promise<unknown[]> {
  await using _ = await repository.lock('shared');
  const findings = await Array.fromAsync(checkRepository(repository, { readData: true }));
  return findings.filter(({ severity }) => severity === 'error');
}

const restics = await stockRestics();

describe('a repository in a bucket', () => {
  it.each(restics)('of ours is one for stock $version, which adds to it', async (restic) => {
    await using place = await placeInEnvironment();
    const { location } = place;
    await initRepository({ backend: openBackend(location), passwords: [password], runtime });
    await backUp(await open(location));
    await restic.run(location, password, 'check', '--read-data');
    const target = newTarget();
    await restic.run(location, password, 'restore', 'latest', '--target', target);
    expect(compareTrees(source, join(target, source))).toEqual([]);

    await restic.run(location, password, 'backup', source);
    const repository = await open(location);
    expect((await repository.snapshots.list()).snapshots).toHaveLength(2);
    expect(await errorsOf(repository)).toEqual([]);
    expect(await restoreLatest(repository)).toEqual([]);
  });

  it.each(restics)('of stock $version is one for us', async (restic) => {
    await using place = await placeInEnvironment();
    const { location } = place;
    await restic.run(location, password, 'init');
    await restic.run(location, password, 'backup', source);
    const repository = await open(location);
    expect(await errorsOf(repository)).toEqual([]);
    expect(await restoreLatest(repository)).toEqual([]);
    expect(await backUp(repository)).toBeLessThan(50_000);
    await restic.run(location, password, 'forget', 'latest', '--prune');
    expect(await errorsOf(await open(location))).toEqual([]);
  });

  it('is asked little by a run that finds nothing changed, and less with a cache', async () => {
    await using place = await placeInEnvironment();
    const { location } = place;
    const cacheDirectory = join(work, 'cache');
    await initRepository({ backend: openBackend(location), passwords: [password], runtime });
    const counted = async (cache?: string): Promise<Record<string, number>> => {
      const requests: Record<string, number> = {};
      const onRequest = (name: string): void => {
        requests[name] = (requests[name] ?? 0) + 1;
      };
      const options = { s3: { onRequest }, ...(cache === undefined ? {} : { cacheDirectory: cache }) };
      await backUp(await open(location, options));
      return requests;
    };
    for (let run = 0; run < 3; run += 1) await counted(cacheDirectory);
    const cached = await counted(cacheDirectory);
    const plain = await counted();
    // Config, key, and what the last run wrote of trees.
    expect(cached.GetObject).toBeLessThanOrEqual(5);
    expect(cached.GetObject).toBeLessThan(plain.GetObject ?? 0);
    expect(cached.PutObject).toBeLessThan(5);
    expect(await errorsOf(await open(location))).toEqual([]);
  });

  it('is written and read through a network that fails now and then, and comes to no harm', async () => {
    await using place = await placeInEnvironment();
    await using proxy = await FaultProxy.start(s3ServerUrl());
    const location = place.through(proxy.url);
    const options = {
      s3: { idleTimeoutMs: 500 },
      retries: { sleep: async () => {} },
    } satisfies BackendOptions;
    await initRepository({ backend: openBackend(location, options), passwords: [password], runtime });
    proxy.faults = [
      { method: 'PUT', path: /data/, times: 1, effect: 'reset' },
      { method: 'PUT', path: /data/, times: 1, effect: 'flipped-request' },
      { method: 'PUT', path: /data/, times: 1, effect: { status: 503, code: 'SlowDown' } },
      { method: 'PUT', path: /index/, times: 1, effect: 'hang' },
      { method: 'PUT', path: /snapshots/, times: 2, effect: { status: 500, code: 'InternalError' } },
      { method: 'PUT', path: /locks/, times: 1, effect: { status: 503, code: 'ServiceUnavailable' } },
      { method: 'DELETE', times: 1, effect: 'reset' },
    ];
    await backUp(await open(location, options));
    expect(proxy.unused).toEqual([]);
    proxy.faults = [
      { method: 'GET', path: /data\//, times: 1, effect: 'truncated' },
      { method: 'GET', path: /data\//, times: 1, effect: 'flipped' },
      { method: 'GET', path: /data\//, times: 1, effect: 'hang-midway' },
      { method: 'GET', path: /index\/./, times: 1, effect: 'flipped' },
      { method: 'GET', path: /list-type/, times: 2, effect: 'truncated' },
      { method: 'GET', path: /snapshots\/./, times: 1, effect: { status: 503, code: 'SlowDown' } },
    ];
    expect(await restoreLatest(await open(location, options))).toEqual([]);
    expect(proxy.unused).toEqual([]);
    expect(await errorsOf(await open(place.location))).toEqual([]);
  });
});
