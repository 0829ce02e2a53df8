import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { compareTrees, makeEveryKind, type StockRestic, stockRestics } from '@holdfast/engine/testing';
import { type BackupTask, type Manifest, manifestSchema, snapshotTags } from '@holdfast/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { StartedMover } from './testing/started-mover.ts';
import { recoveryPassword, type TestPlace, testPlace } from './testing/task-specs.ts';

let restics: readonly StockRestic[];

beforeAll(async () => {
  restics = await stockRestics();
});

/** Attributes of links themselves, and links to names that are no text. */
const notRestoredByRestic = /^\.\/links\/(dangling: attributes|target-not-text: target)/;

interface ListedSnapshot {
  readonly id: string;
  readonly tags: readonly string[];
  readonly paths: readonly string[];
}

async function listSnapshots(place: TestPlace): Promise<readonly ListedSnapshot[]> {
  const [restic] = restics;
  return JSON.parse((await restic?.run(place.repository, recoveryPassword, 'snapshots', '--json')) ?? '[]');
}

/** A mover that was killed leaves its lock, which stock restic asks to be removed. */
async function check(place: TestPlace): Promise<void> {
  for (const restic of restics) {
    await restic.run(place.repository, recoveryPassword, 'unlock');
    await restic.run(place.repository, recoveryPassword, 'check', '--read-data');
  }
}

async function completeBackup(task: BackupTask): Promise<Manifest> {
  const mover = new StartedMover(task);
  const { outcome, error } = await mover.runThrough();
  expect({ outcome, error }).toEqual({ outcome: 'done', error: null });
  const { manifest } = await mover.sees('committed');
  return manifestSchema.parse(manifest);
}

function fill(folder: string, files = 50): void {
  mkdirSync(folder, { recursive: true });
  for (let count = 0; count < files; count += 1) {
    writeFileSync(join(folder, `file-${count}`), randomBytes(40_000));
  }
}

describe('a backup', () => {
  test('is one snapshot a part and a manifest, restored equal by stock restic and by a mover', async () => {
    await using place = await testPlace();
    const tree = join(place.folder, 'tree');
    const file = join(place.folder, 'file.conf');
    makeEveryKind(tree);
    writeFileSync(file, 'one file\n', { mode: 0o640 });
    const task = place.backup([
      { name: 'tree', path: tree },
      { name: './file.conf', path: file },
    ]);
    const mover = new StartedMover(task);
    expect((await mover.runThrough()).outcome).toMatch(/done|warnings/);
    const types = mover.events
      .map(({ type }) => type)
      .filter((type) => type !== 'progress' && type !== 'log');
    expect(types).toEqual([
      'started',
      'precopied',
      'captured',
      'part',
      'part',
      'sealed',
      'committed',
      'result',
    ]);
    expect(mover.writtenEvents).toEqual(mover.events);
    expect(await mover.exited).toEqual([0, null]);

    const { manifest, manifestSnapshotId } = await mover.sees('committed');
    expect(manifest).toMatchObject({
      backupId: task.manifest.backupId,
      parts: [{ name: 'tree' }, { files: 1 }],
    });
    const snapshots = await listSnapshots(place);
    expect(snapshots.map(({ paths }) => paths[0]).sort()).toEqual([
      '/holdfast/shop/./file.conf',
      '/holdfast/shop/manifest.json',
      '/holdfast/shop/tree',
    ]);
    for (const { tags } of snapshots) expect(tags).toContain(snapshotTags.ofBackup(task.manifest.backupId));
    for (const restic of restics) {
      const read = await restic.run(
        place.repository,
        recoveryPassword,
        'dump',
        manifestSnapshotId ?? '',
        '/manifest.json',
      );
      expect(JSON.parse(read)).toEqual(manifest);
      const target = join(place.folder, 'restored by restic');
      const part = manifestSchema.parse(manifest).parts[0]?.snapshotId ?? '';
      await restic.run(place.repository, recoveryPassword, 'restore', part, '--target', target);
      const differences = compareTrees(tree, join(target, 'data'), { fileLinksOnly: true });
      expect(differences.filter((line) => !notRestoredByRestic.test(line))).toEqual([]);
      rmSync(target, { recursive: true });
    }
    await check(place);

    const restored = join(place.folder, 'restored');
    const other = join(place.folder, 'other.conf');
    mkdirSync(restored);
    writeFileSync(join(restored, 'not in the backup'), 'x');
    const restore = new StartedMover(
      place.restore(manifestSchema.parse(manifest), { tree: restored, './file.conf': other }),
    );
    expect(await restore.runThrough()).toMatchObject({ outcome: 'done', error: null });
    expect(compareTrees(tree, restored)).toEqual([]);
    expect(compareTrees(file, other)).toEqual([]);
  });

  test('of unchanged files adds next to nothing, and goes on where its parent is gone', async () => {
    await using place = await testPlace();
    const path = join(place.folder, 'source');
    fill(path);
    await delay(2100);
    const first = await completeBackup(place.backup([{ name: 'a', path }]));
    const parentSnapshotId = first.parts[0]?.snapshotId ?? null;
    const second = await completeBackup(
      place.backup([{ name: 'a', path, parentSnapshotId }], { initialize: null }),
    );
    expect(first.parts[0]?.storedBytes).toBeGreaterThan(1_500_000);
    expect(second.parts[0]).toMatchObject({ files: 50, bytes: 2_000_000, treeId: first.parts[0]?.treeId });
    expect(second.parts[0]?.storedBytes).toBeLessThan(20_000);
    const orphan = place.backup([{ name: 'a', path, parentSnapshotId: 'f'.repeat(64) }]);
    expect((await completeBackup(orphan)).parts[0]?.treeId).toBe(first.parts[0]?.treeId);
  });

  test('of an empty source fails where it held data before', async () => {
    await using place = await testPlace();
    const path = join(place.folder, 'source');
    mkdirSync(join(path, 'lost+found'), { recursive: true });
    const mover = new StartedMover(place.backup([{ name: 'a', path, mustNotBeEmpty: true }]));
    expect(await mover.runThrough()).toMatchObject({ outcome: 'failed', error: { code: 'source-empty' } });
    expect(await mover.exited).toEqual([1, null]);
    expect(await listSnapshots(place)).toEqual([]);
    await completeBackup(place.backup([{ name: 'a', path }]));
  });

  test('never makes anew a repository that was there once', async () => {
    await using place = await testPlace();
    const path = join(place.folder, 'source');
    fill(path, 1);
    const mover = new StartedMover(place.backup([{ name: 'a', path }], { initialize: null }));
    expect(await mover.runThrough()).toMatchObject({ error: { code: 'repository-missing' } });
    expect(await mover.exited).toEqual([4, null]);
    expect(readdirSync(place.folder)).not.toContain('repository');
  });

  test('whose source is gone fails with the path', async () => {
    await using place = await testPlace();
    const mover = new StartedMover(place.backup([{ name: 'a', path: join(place.folder, 'nothing') }]));
    expect(await mover.runThrough()).toMatchObject({ outcome: 'failed', error: { code: 'source-missing' } });
  });
});

describe('what ends a mover early', () => {
  const ends = {
    'the end of its input': {
      end: (mover: StartedMover) => mover.closeInput(),
      status: 1,
      code: 'server-lost',
    },
    cancel: {
      end: (mover: StartedMover) => mover.send({ type: 'cancel' }),
      status: 130,
      code: 'interrupted',
    },
    SIGTERM: { end: (mover: StartedMover) => mover.child.kill('SIGTERM'), status: 130, code: 'interrupted' },
  };

  test.each(Object.entries(ends))(
    '%s before go opens no repository',
    async (_name, { end, status, code }) => {
      await using place = await testPlace();
      const mover = new StartedMover(place.backup([{ name: 'a', path: place.folder }]));
      await mover.sees('started');
      end(mover);
      expect(await mover.exited).toEqual([status, null]);
      expect(mover.writtenEvents.at(-1)).toMatchObject({ type: 'result', error: { code } });
      expect(readdirSync(place.folder)).not.toContain('repository');
    },
  );

  test.each(Object.entries(ends))(
    '%s before commit leaves no manifest',
    async (_name, { end, status, code }) => {
      await using place = await testPlace();
      const path = join(place.folder, 'source');
      fill(path);
      const mover = new StartedMover(place.backup([{ name: 'a', path }]));
      await mover.reach('sealed');
      end(mover);
      expect(await mover.exited).toEqual([status, null]);
      expect(mover.writtenEvents.at(-1)).toMatchObject({ type: 'result', error: { code } });
      const snapshots = await listSnapshots(place);
      expect(snapshots.map(({ tags }) => tags[0])).toEqual([snapshotTags.part]);
      await check(place);
    },
  );

  test.each(['precopied', 'captured'] as const)('a cancel at %s leaves blobs only', async (milestone) => {
    await using place = await testPlace();
    const path = join(place.folder, 'source');
    fill(path);
    const mover = new StartedMover(place.backup([{ name: 'a', path }]));
    await mover.reach(milestone);
    mover.send({ type: 'cancel' });
    expect(await mover.exited).toEqual([130, null]);
    expect(await listSnapshots(place)).toEqual([]);
    await check(place);
  });

  test.each(['precopied', 'captured'] as const)(
    'not so `live` at %s: what was read counts',
    async (milestone) => {
      await using place = await testPlace();
      const path = join(place.folder, 'source');
      fill(path);
      const mover = new StartedMover(place.backup([{ name: 'a', path }]));
      await mover.reach(milestone);
      mover.send({ type: 'live' });
      await mover.sees('sealed');
      mover.send({ type: 'commit' });
      expect(await mover.exited).toEqual([0, null]);
      expect((await mover.sees('committed')).manifest).toMatchObject({
        mode: 'live',
        parts: [{ files: 50 }],
      });
      await check(place);
    },
  );

  test('SIGHUP does not, nor does anything once it was told to commit', async () => {
    await using place = await testPlace();
    const path = join(place.folder, 'source');
    fill(path);
    const mover = new StartedMover(place.backup([{ name: 'a', path }]));
    await mover.sees('started');
    mover.child.kill('SIGHUP');
    await mover.reach('sealed');
    mover.send({ type: 'commit' });
    mover.send({ type: 'cancel' });
    mover.closeInput();
    mover.child.stdout?.destroy();
    expect(await mover.exited).toEqual([0, null]);
    expect(mover.writtenEvents.at(-1)).toMatchObject({ type: 'result', outcome: 'done' });
  });

  test('nonsense on its first line ends it, and is not repeated', async () => {
    await using place = await testPlace();
    const task = { ...place.backup([]), kind: 'nonsense', secret: 'hush' } as unknown as BackupTask;
    const mover = new StartedMover(task);
    expect(await mover.exited).toEqual([2, null]);
    expect(mover.events).toEqual([]);
  });
});

describe('killed at any moment', () => {
  test('a backup leaves a repository that stock restic finds whole, and earlier backups restore', async () => {
    await using place = await testPlace();
    const path = join(place.folder, 'source');
    fill(path, 100);
    const startedAt = performance.now();
    const manifest = await completeBackup(place.backup([{ name: 'a', path }]));
    const durationMs = performance.now() - startedAt;
    const saved = join(place.folder, 'saved');
    for (let round = 0; round < 6; round += 1) {
      fill(path, 100);
      const mover = new StartedMover(place.backup([{ name: 'a', path }]));
      const ended = mover.runThrough().catch(() => {});
      await delay(((round + Math.random()) / 6) * durationMs);
      mover.child.kill('SIGKILL');
      await ended;
    }
    await check(place);
    const restore = new StartedMover(place.restore(manifest, { a: saved }));
    expect(await restore.runThrough()).toMatchObject({ outcome: 'done' });
    expect(readdirSync(saved)).toHaveLength(100);
  });

  test('a restore is completed by the same task once more', async () => {
    await using place = await testPlace();
    const path = join(place.folder, 'source');
    const target = join(place.folder, 'target');
    fill(path, 200);
    const manifest = await completeBackup(place.backup([{ name: 'a', path }]));
    for (let round = 0; round < 4; round += 1) {
      rmSync(target, { recursive: true, force: true });
      fill(target, 100);
      writeFileSync(join(target, 'extra'), 'x');
      const mover = new StartedMover(place.restore(manifest, { a: target }));
      const ended = mover.runThrough().catch(() => {});
      await mover.sees('committed');
      await delay(round * 15);
      mover.child.kill('SIGKILL');
      await ended;
      const again = new StartedMover(place.restore(manifest, { a: target }));
      expect(await again.runThrough()).toMatchObject({ outcome: 'done', error: null });
      expect(compareTrees(path, target)).toEqual([]);
    }
  });
});

describe('a restore', () => {
  test('touches nothing before commit', async () => {
    await using place = await testPlace();
    const path = join(place.folder, 'source');
    const target = join(place.folder, 'target');
    fill(path);
    fill(target, 3);
    const manifest = await completeBackup(place.backup([{ name: 'a', path }]));
    const mover = new StartedMover(place.restore(manifest, { a: target }));
    mover.send({ type: 'go' });
    await mover.sees('sealed');
    mover.closeInput();
    await mover.exited;
    expect(mover.writtenEvents.at(-1)).toMatchObject({ outcome: 'failed', error: { code: 'server-lost' } });
    expect(readdirSync(target)).toHaveLength(3);
  });

  test('of a damaged repository fails before anything is touched', async () => {
    await using place = await testPlace();
    const path = join(place.folder, 'source');
    const target = join(place.folder, 'target');
    fill(path, 20);
    fill(target, 3);
    const manifest = await completeBackup(place.backup([{ name: 'a', path }]));
    for (const folder of readdirSync(join(place.repository, 'data'))) {
      for (const name of readdirSync(join(place.repository, 'data', folder))) {
        rmSync(join(place.repository, 'data', folder, name));
      }
    }
    const mover = new StartedMover(place.restore(manifest, { a: target }));
    const { outcome } = await mover.runThrough();
    expect(outcome).toBe('failed');
    expect(mover.events.map(({ type }) => type)).not.toContain('sealed');
    expect(readdirSync(target)).toHaveLength(3);
  });
});

test('forgetting a backup removes its snapshots and no others', async () => {
  await using place = await testPlace();
  const path = join(place.folder, 'source');
  fill(path, 3);
  const first = await completeBackup(place.backup([{ name: 'a', path }]));
  const second = await completeBackup(place.backup([{ name: 'a', path }]));
  const mover = new StartedMover(place.forget(first));
  mover.send({ type: 'go' });
  expect(await mover.sees('result')).toMatchObject({ outcome: 'done' });
  expect(mover.events.map(({ type }) => type)).toEqual([
    'started',
    'committed',
    'removing',
    'removed',
    'log',
    'progress',
    'log',
    'result',
  ]);
  for (const { tags } of await listSnapshots(place)) {
    expect(tags).toContain(snapshotTags.ofBackup(second.backupId));
  }
  expect(await listSnapshots(place)).toHaveLength(2);
  const again = new StartedMover(place.forget(first));
  again.send({ type: 'go' });
  expect(await again.sees('result')).toMatchObject({ outcome: 'done' });
  await check(place);
});
