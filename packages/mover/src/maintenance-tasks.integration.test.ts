import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockRepository, openBackend, openRepository } from '@holdfast/engine';
import { type StockRestic, stockRestics } from '@holdfast/engine/testing';
import { type BackupTask, type Manifest, manifestSchema, snapshotTags } from '@holdfast/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { StartedMover } from './testing/started-mover.ts';
import { recoveryPassword, type TestPlace, testPlace } from './testing/task-specs.ts';

let restics: readonly StockRestic[];

beforeAll(async () => {
  restics = await stockRestics();
});

async function check(place: TestPlace): Promise<void> {
  const restic = restics.at(-1);
  await restic?.run(place.repository, recoveryPassword, 'unlock');
  await restic?.run(place.repository, recoveryPassword, 'check', '--read-data');
}

async function tagsOf(place: TestPlace): Promise<readonly (readonly string[])[]> {
  const [restic] = restics;
  const text = (await restic?.run(place.repository, recoveryPassword, 'snapshots', '--json')) ?? '[]';
  return (JSON.parse(text) as { readonly tags: string[] }[]).map(({ tags }) => tags);
}

async function completeBackup(task: BackupTask): Promise<Manifest> {
  const mover = new StartedMover(task);
  expect(await mover.runThrough()).toMatchObject({ outcome: 'done' });
  return manifestSchema.parse((await mover.sees('committed')).manifest);
}

/** Files of their own in each: no two backups share anything. */
async function backups(place: TestPlace, count: number): Promise<readonly Manifest[]> {
  const made: Manifest[] = [];
  for (let index = 0; index < count; index += 1) {
    const path = join(place.folder, `source-${index}`);
    mkdirSync(path);
    writeFileSync(join(path, 'file'), randomBytes(300_000));
    made.push(await completeBackup(place.backup([{ name: 'a', path }])));
  }
  return made;
}

function packsOf(place: TestPlace): readonly string[] {
  return readdirSync(join(place.repository, 'data'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('forgetting several backups', () => {
  test('removes each wholly, and tells of each when it begins and when it is gone', async () => {
    await using place = await testPlace();
    const [first, second, third] = await backups(place, 3);
    if (first === undefined || second === undefined || third === undefined) throw new Error('No backups.');
    const mover = new StartedMover(place.forget(first, third));
    mover.send({ type: 'go' });
    expect(await mover.sees('result')).toMatchObject({ outcome: 'done' });
    const told = mover.events.flatMap((event) =>
      event.type === 'removing' || event.type === 'removed' ? [[event.type, event.backupId]] : [],
    );
    expect(told).toEqual([
      ['removing', first.backupId],
      ['removed', first.backupId],
      ['removing', third.backupId],
      ['removed', third.backupId],
    ]);
    for (const tags of await tagsOf(place)) expect(tags).toContain(snapshotTags.ofBackup(second.backupId));
    await check(place);
  });

  test('ends between two when it is cancelled: each is wholly there, or wholly gone', async () => {
    await using place = await testPlace();
    const made = await backups(place, 4);
    const mover = new StartedMover(place.forget(...made));
    mover.send({ type: 'go' });
    await mover.sees('removing');
    mover.send({ type: 'cancel' });
    await mover.exited;
    const removed = mover.writtenEvents.flatMap((event) =>
      event.type === 'removed' ? [event.backupId] : [],
    );
    expect(removed.length).toBeGreaterThan(0);
    const left = await tagsOf(place);
    expect(left).toHaveLength(2 * (made.length - removed.length));
    for (const id of removed) expect(left.flat()).not.toContain(snapshotTags.ofBackup(id));
  });

  test.each([0, 3, 8, 15])('killed after %i ms more, no manifest lacks a part', async (delayMs) => {
    await using place = await testPlace();
    const made = await backups(place, 4);
    const mover = new StartedMover(place.forget(...made));
    mover.send({ type: 'go' });
    await mover.sees('removing');
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    mover.child.kill('SIGKILL');
    await mover.exited;
    const left = await tagsOf(place);
    for (const { backupId } of made) {
      const ofIt = left.filter((tags) => tags.includes(snapshotTags.ofBackup(backupId)));
      if (ofIt.some((tags) => tags.includes(snapshotTags.manifest))) expect(ofIt).toHaveLength(2);
    }
    await check(place);
  });
});

test('a prune frees what was forgotten, and says how much', async () => {
  await using place = await testPlace();
  const [first] = await backups(place, 2);
  if (first === undefined) throw new Error('No backup.');
  const forgetting = new StartedMover(place.forget(first));
  forgetting.send({ type: 'go' });
  await forgetting.sees('result');
  const sizeOf = () => packsOf(place).reduce((sum, path) => sum + statSync(path).size, 0);
  const before = sizeOf();
  const mover = new StartedMover(place.prune());
  mover.send({ type: 'go' });
  expect(await mover.sees('result')).toMatchObject({ outcome: 'done' });
  expect(before - sizeOf()).toBeGreaterThan(290_000);
  expect(mover.events.some((event) => event.type === 'log' && /bytes freed/.test(event.line.message))).toBe(
    true,
  );
  await check(place);
});

test('a backup waits while somebody prunes, and says for whom', async () => {
  await using place = await testPlace();
  await backups(place, 1);
  const repository = await openRepository({
    backend: openBackend(place.repository),
    password: recoveryPassword,
  });
  const { signal } = new AbortController();
  const locked = await lockRepository(repository, { signal, kind: 'exclusive' });
  const path = join(place.folder, 'source-0');
  const mover = new StartedMover(place.backup([{ name: 'a', path }]));
  const through = mover.runThrough();
  const line = await mover.sees('log');
  expect(line.line.message).toMatch(
    /^The repository is locked by process \d+ on .+, which cleans it up: waiting/,
  );
  await locked[Symbol.asyncDispose]();
  expect(await through).toMatchObject({ outcome: 'done' });
});

test('a revision of a manifest takes the place of the one before', async () => {
  await using place = await testPlace();
  const [first] = await backups(place, 1);
  if (first === undefined) throw new Error('No backup.');
  for (const [revision, pinReason] of [
    [2, 'before the move'],
    [3, null],
  ] as const) {
    const mover = new StartedMover(place.revise(first, pinReason));
    mover.send({ type: 'go' });
    expect(await mover.sees('result')).toMatchObject({ outcome: 'done' });
    const { manifest } = await mover.sees('committed');
    expect(manifest).toEqual({ ...first, revision, pinReason });
    const tags = await tagsOf(place);
    expect(tags.filter((each) => each.includes(snapshotTags.manifest))).toHaveLength(1);
  }
  await check(place);
});

describe('an inspection', () => {
  async function inspect(place: TestPlace, made: readonly Manifest[], isThorough = false) {
    const mover = new StartedMover(place.inspect(made, { isThorough }));
    const result = await mover.runThrough();
    const lost = mover.events.flatMap((event) => (event.type === 'inspected' ? [event.backup] : []));
    return { result, lost, mover };
  }

  test('of what is whole finds nothing, and writes nothing', async () => {
    await using place = await testPlace();
    const { result, lost, mover } = await inspect(place, await backups(place, 2));
    expect({ result, lost }).toMatchObject({ result: { outcome: 'done' }, lost: [] });
    expect(
      mover.events.some((event) => event.type === 'log' && event.line.message === 'Nothing is missing'),
    ).toBe(true);
  });

  test('tells which backup lost what; the next backup heals it', async () => {
    await using place = await testPlace();
    const [first, second] = await backups(place, 2);
    if (first === undefined || second === undefined) throw new Error('No backups.');
    const before = new Set(packsOf(place));
    const path = join(place.folder, 'source-2');
    mkdirSync(path);
    writeFileSync(join(path, 'lost'), randomBytes(300_000));
    const third = await completeBackup(place.backup([{ name: 'a', path }]));
    const largest = packsOf(place)
      .filter((pack) => !before.has(pack))
      .sort((a, b) => statSync(b).size - statSync(a).size)[0];
    rmSync(largest ?? '', {});
    const made = [first, second, third];
    const found = await inspect(place, made);
    expect(found.result).toMatchObject({ outcome: 'warnings' });
    expect(found.lost).toEqual([{ backupId: third.backupId, lost: [{ part: 'a', paths: ['/lost'] }] }]);

    // The index has forgotten it: only who looks at all of it sees that it is lost.
    expect((await inspect(place, made, true)).lost).toEqual(found.lost);
    const fourth = await completeBackup(place.backup([{ name: 'a', path }]));
    expect((await inspect(place, [...made, fourth], true)).lost).toEqual([]);
    await check(place);
  });

  test('misses a manifest and a part whose snapshots are gone', async () => {
    await using place = await testPlace();
    const [first, second] = await backups(place, 2);
    if (first === undefined || second === undefined) throw new Error('No backups.');
    const mover = new StartedMover(place.forget(first));
    mover.send({ type: 'go' });
    await mover.sees('result');
    expect((await inspect(place, [first, second])).lost).toEqual([
      {
        backupId: first.backupId,
        lost: [
          { part: null, paths: [] },
          { part: 'a', paths: [] },
        ],
      },
    ]);
  });

  test('takes a disk that is not mounted for no loss', async () => {
    await using place = await testPlace();
    const made = await backups(place, 1);
    rmSync(join(place.repository, 'data'), { recursive: true });
    mkdirSync(join(place.repository, 'data'));
    const { result, lost } = await inspect(place, made);
    expect({ result, lost }).toMatchObject({
      result: { outcome: 'failed', error: { code: 'vault-missing' } },
      lost: [],
    });
  });
});
