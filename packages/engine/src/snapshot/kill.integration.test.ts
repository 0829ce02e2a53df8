import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compareTrees } from '../testing/compare-trees.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { snapshotOf, testPassword, testRepository } from '../testing/test-repository.ts';
import { backupSources } from './backup.ts';

const restorePath = join(import.meta.dirname, '../testing/one-restore.ts');
// Many times what is under way at once: so a kill finds some old and some new.
const fileNames = Array.from({ length: 2000 }, (_, number) => `dir-${number % 7}/file-${number}`);
const fileBytes = 10_000;

it('leaves each file old or new when it is killed, and is completed by the same restore again', async () => {
  await using place = await temporaryDirectory();
  await using test = await testRepository();
  const [source, target] = [join(place.path, 'source'), join(place.path, 'target')];
  fill(source, 'new');
  await backUp(test, source);

  let sawOld = 0;
  let sawNew = 0;
  for (let kill = 0; kill < 10; kill += 1) {
    fill(target, 'old');
    await restore(test.path, target, kill * 200);
    for (const name of fileNames) {
      const content = readFileSync(join(target, name), 'utf8');
      expect(content.length).toBe(fileBytes);
      const [first] = content;
      expect(content).toBe(contentOf(first === 'o' ? 'old' : 'new', name));
      if (first === 'o') sawOld += 1;
      else sawNew += 1;
    }
  }
  expect(sawOld).toBeGreaterThan(0);
  expect(sawNew).toBeGreaterThan(0);

  expect(await restore(test.path, target)).toBe(0);
  expect(compareTrees(source, target)).toEqual([]);
  expect(readdirSync(target, { recursive: true, encoding: 'utf8' })).toHaveLength(2007);
});

function contentOf(age: 'old' | 'new', name: string): string {
  return `${age} ${name} `.repeat(Math.ceil(fileBytes / 8)).slice(0, fileBytes);
}

function fill(path: string, age: 'old' | 'new'): void {
  for (const name of fileNames) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), contentOf(age, name));
  }
}

async function backUp(
  { repository }: Awaited<ReturnType<typeof testRepository>>,
  path: string,
): Promise<void> {
  await using lock = await repository.lock('shared');
  await using writer = await repository.openWriter({ lock });
  const sources = [{ path, treePath: ['data'] as const }];
  const { blobs, polynomial } = repository;
  const { treeId } = await backupSources({ writer, blobs, polynomial, sources });
  await writer.flush();
  await repository.snapshots.save(snapshotOf(treeId), { lock });
}

/** The exit status; null when it was killed as soon as it had restored so many files. */
async function restore(
  repository: string,
  target: string,
  killAfter = Number.POSITIVE_INFINITY,
): Promise<number | null> {
  const child = spawn(process.execPath, [restorePath, repository, testPassword, target], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let restored = 0;
  child.stdout.on('data', (dots: Buffer) => {
    restored += dots.length;
    if (restored >= killAfter) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return child.exitCode;
}
