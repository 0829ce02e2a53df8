import { cp, link, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SnapshotId } from '../../format/ids.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { compareTrees } from '../../testing/compare-trees.ts';
import { quickRuntime } from '../../testing/quick-runtime.ts';
import { saveSnapshot } from '../../testing/saved-directory.ts';
import { type StockRestic, stockRestics } from '../../testing/stock-restic.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { testBytes } from '../../testing/test-bytes.ts';
import { type TestRepository, testPassword, testRepository } from '../../testing/test-repository.ts';
import { checkRepository } from '../check.ts';
import { forgetSnapshots } from '../forget.ts';
import { collectStatistics, statisticsModes } from '../statistics.ts';
import { executePrune } from './execute-prune.ts';
import { planPrune } from './plan-prune.ts';
import type { PruneOptions } from './prune-options.ts';
import type { PruneFigures } from './prune-plan.ts';

const restics = await stockRestics();

async function prune(
  repository: Repository,
  options: Omit<PruneOptions, 'lock'> = {},
): Promise<PruneFigures> {
  await using lock = await repository.lock('exclusive');
  const plan = await planPrune(repository, { ...options, lock });
  await executePrune(plan);
  return plan.figures;
}

async function expectSound({ path, backend }: TestRepository): Promise<void> {
  const runtime = quickRuntime();
  const opened = await openRepository({ backend, password: testPassword, runtime });
  expect(await Array.fromAsync(checkRepository(opened, { readData: true }))).toEqual([]);
  for (const restic of restics) await restic.run(path, testPassword, 'check', '--read-data');
}

interface Version {
  readonly id: SnapshotId;
  /** A copy of the source as it was. */
  readonly copy: string;
}

/** Backups of a directory of which a third changes from each to the next. */
async function backUpVersions(
  restic: StockRestic,
  place: TestRepository,
  folder: string,
  optionsOf: (n: number) => readonly string[],
): Promise<Version[]> {
  const source = join(folder, 'source');
  const versions: Version[] = [];
  for (let n = 0; n < 4; n += 1) {
    for (let file = 0; file < 12; file += 1) {
      if (n > 0 && file % 3 !== n % 3) continue;
      await mkdir(join(source, `dir ${file % 4}`), { recursive: true });
      const bytes =
        file % 2 === 0 ? testBytes(`${n} ${file}`, 90_000) : Buffer.alloc(60_000, `text ${n} ${file}`);
      await writeFile(join(source, `dir ${file % 4}`, `file ${file}`), bytes);
    }
    const json = await restic.run(place.path, testPassword, 'backup', source, '--json', ...optionsOf(n));
    const summary = json
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const copy = join(folder, `copy ${n}`);
    await cp(source, copy, { recursive: true, preserveTimestamps: true });
    // The old one tells only the beginning of the id.
    const { id } = await place.repository.snapshots.find(summary.at(-1).snapshot_id);
    versions.push({ id, copy });
  }
  return versions;
}

async function expectRestored(
  place: TestRepository,
  folder: string,
  versions: readonly Version[],
): Promise<void> {
  for (const restic of restics) {
    for (const { id, copy } of versions) {
      const target = join(folder, 'restored');
      await restic.run(place.path, testPassword, 'restore', id, '--target', target);
      const options = { contentsOnly: true };
      expect(compareContents(join(target, folder, 'source'), copy, options)).toEqual([]);
      await rm(target, { recursive: true });
    }
  }
}

/** Times of directories are not those of the copy. */
function compareContents(...args: Parameters<typeof compareTrees>): string[] {
  return compareTrees(...args).filter((difference) => !/mtime|time/.test(difference));
}

describe.each(restics)('a prune of a repository of $version', (restic) => {
  it('leaves what every restic checks and restores, also where only some is compressed', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    await using directory = await temporaryDirectory();
    const versions = await backUpVersions(restic, place, directory.path, (n) =>
      n < 2 ? ['--compression', 'off'] : [],
    );
    const ours = await saveSnapshot(place.repository, { own: testBytes('own', 50_000) });
    const gone = [versions[0], versions[2]].flatMap((version) => (version === undefined ? [] : [version.id]));
    const stays = versions.filter(({ id }) => !gone.includes(id));
    {
      await using lock = await place.repository.lock('shared');
      await forgetSnapshots(place.repository, gone, { lock });
    }
    const figures = await prune(place.repository, { maxUnused: 0 });
    expect(figures.packs.repacked).toBeGreaterThan(0);
    expect(figures.bytes.unusedAfter).toBe(0);
    await expectSound(place);
    await expectRestored(place, directory.path, stays);
    expect((await prune(place.repository, { maxUnused: 0 })).bytes.unused).toBe(0);

    // Theirs finds nothing to do, and goes on where ours ended; then ours again.
    for (const each of restics) await each.run(place.path, testPassword, 'prune', '--max-unused', '0');
    expect((await prune(place.repository, { maxUnused: 0 })).bytes.unused).toBe(0);
    await restic.run(place.path, testPassword, 'forget', ours, '--prune', '--max-unused', '0');
    await prune(place.repository, { maxUnused: 0, repackUncompressed: true });
    await expectSound(place);
    await expectRestored(place, directory.path, stays);
    await place.repository.refreshIndex();
    const plain = [...place.repository.storage.indexes.current.blobs()].filter(
      ({ uncompressedLength }) => uncompressedLength === undefined,
    );
    expect(plain).toEqual([]);
  });

  it('and the counts of what is in it are those of restic 0.18', async () => {
    const judge = restics.at(-1) ?? restic;
    await using place = await testRepository({ locksAtOnce: true });
    await using directory = await temporaryDirectory();
    await backUpVersions(restic, place, directory.path, (n) => (n === 1 ? ['--compression', 'off'] : []));
    const source = join(directory.path, 'source');
    await link(join(source, 'dir 1', 'file 1'), join(source, 'second name'));
    await symlink('second name', join(source, 'link'));
    await restic.run(place.path, testPassword, 'backup', source);
    const { snapshots } = await place.repository.snapshots.list();
    await place.repository.refreshIndex();
    for (const mode of statisticsModes) {
      const json = await judge.run(place.path, testPassword, 'stats', '--mode', mode, '--json');
      const theirs = JSON.parse(json);
      const ours = await collectStatistics(place.repository, { snapshots, mode });
      expect([mode, ours.snapshotCount, ours.totalBytes, ours.fileCount, ours.blobCount]).toEqual([
        mode,
        theirs.snapshots_count,
        theirs.total_size,
        theirs.total_file_count ?? 0,
        theirs.total_blob_count ?? 0,
      ]);
      expect(ours.compression?.uncompressedBytes).toBe(theirs.total_uncompressed_size);
    }
  });
});
