import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** Runs every example as its first line says, one after the other, on one repository. */
const run = promisify(execFile);
const folderOfExamples = fileURLToPath(new URL('.', import.meta.url));
const ran = new Set<string>();

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-examples-'));
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'first'), 'first');
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function example(name: string, ...words: readonly string[]): Promise<string> {
  ran.add(`${name}.ts`);
  const env = { ...process.env, RESTIC_PASSWORD: 'first password', NEW_PASSWORD: 'second password' };
  const path = join(folderOfExamples, `${name}.ts`);
  const { stdout } = await run(process.execPath, [path, 'repository', ...words], { cwd: folder, env });
  return stdout;
}

it('every example of the engine does what it says', { timeout: 300_000 }, async () => {
  expect(await example('init')).toMatch(/^[0-9a-f]{64}\n$/);
  const first = await example('backup', 'data');
  expect(first).toMatch(/^[0-9a-f]{64}\n$/);
  await writeFile(join(folder, 'data', 'second'), 'second');
  const second = await example('backup', 'data');

  const listed = await example('snapshots');
  expect(listed.trimEnd().split('\n')).toHaveLength(2);
  expect(await example('ls', 'latest')).toMatch(/^dir {2}0 {2}\/data\nfile {2}5 {2}\/data\/first\n/);
  expect(await example('stats')).toMatch(/^restore-size: 16 bytes in 2 snapshots\nraw-data: [1-9]/);

  expect(await example('restore', second.trim(), 'restored')).toBe('2 files, 11 bytes\n');
  expect(await readFile(join(folder, 'restored', 'data', 'second'), 'utf8')).toBe('second');

  expect(await example('forget', '1')).toMatch(/^keep [0-9a-f]{8}: last snapshot.*\nforgot [0-9a-f]{8}\n$/);
  expect(await example('prune', '--dry-run')).toMatch(/^keep 3, repack 0, remove 1 packs, free [1-9]/);
  expect(await example('prune')).toContain('removed 1 packs');
  expect(await example('check')).toBe('0 errors\n');
  expect(await example('check', '1', '4')).toBe('0 errors\n');
  expect((await example('key')).trimEnd().split('\n')).toHaveLength(2);
  expect(await example('unlock')).toBe('removed 0 locks\n');

  const files = await readdir(folderOfExamples);
  expect([...ran].sort()).toEqual(files.filter((name) => !name.endsWith('.test.ts')).sort());
});
