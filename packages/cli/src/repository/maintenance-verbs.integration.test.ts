import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, cliRun } from '../testing/cli-run.ts';

/** forget, prune, stats, key and unlock, beside stock restic: the newest of those that the variable lists. */
const restic = (process.env.HOLDFAST_TEST_RESTIC ?? '').split(':').at(-1) || 'restic';
const execute = promisify(execFile);

let folder: string;
let repository: string;
let env: Record<string, string>;

async function mustRestic(...words: string[]): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, ...env } };
  return (await execute(restic, ['--no-cache', ...words], options)).stdout;
}

async function holdfast(...words: string[]): Promise<CliResult> {
  return await cliRun(words, { env, folder });
}

async function mustHoldfast(...words: string[]): Promise<string> {
  const { status, output, notes } = await holdfast(...words);
  expect(status, notes).toBe(0);
  return output;
}

async function snapshotIds(): Promise<string[]> {
  const listed: { readonly id: string }[] = JSON.parse(await mustHoldfast('repository:snapshots', '--json'));
  return listed.map(({ id }) => id);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-maintenance-'));
  repository = join(folder, 'repository');
  env = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: 'a password of the test' };
  await mkdir(join(folder, 'source'));
  await mustRestic('init');
  for (const [n, time] of ['2026-01-01', '2026-01-02', '2026-01-03', '2026-02-01'].entries()) {
    await writeFile(join(folder, 'source', 'same'), 'the same'.repeat(10_000));
    await writeFile(join(folder, 'source', 'changing'), `version ${n} `.repeat(10_000));
    await mustRestic(
      'backup',
      'source',
      '--time',
      `${time} 12:00:00`,
      '--tag',
      n === 0 ? 'old,first' : 'new',
    );
  }
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('repository:forget', () => {
  it('decides and tells as restic does', async () => {
    for (const words of [
      ['--keep-last', '2'],
      ['--keep-monthly', '5', '--keep-tag', 'old,first'],
      ['--keep-within', '1m', '--group-by', 'tags'],
      ['--keep-daily', 'unlimited', '--group-by', '', '--tag', 'new'],
    ]) {
      const ours = JSON.parse(await mustHoldfast('repository:forget', ...words, '--dry-run', '--json'));
      const theirs = JSON.parse(await mustRestic('forget', ...words, '--dry-run', '--json'));
      const byTags = (groups: { tags: string[] | null }[]) =>
        groups.toSorted((a, b) => (String(a.tags) < String(b.tags) ? -1 : 1));
      expect(byTags(ours)).toEqual(byTags(theirs));
    }
    expect(await snapshotIds()).toHaveLength(4);
  });

  it('removes all of what is selected only where it is told to, as restic does', async () => {
    const words = ['--unsafe-allow-remove-all', '--dry-run'];
    expect(await holdfast('repository:forget', ...words)).toMatchObject({ status: 2 });
    expect(await holdfast('repository:forget', ...words, '--keep-tag', 'none')).toMatchObject({ status: 2 });
    const chosen = [...words, '--tag', 'new', '--json'];
    const ours = JSON.parse(await mustHoldfast('repository:forget', ...chosen));
    const theirs = JSON.parse(await mustRestic('forget', ...chosen));
    const removed = (groups: { remove: { id: string }[] | null }[]) =>
      groups.flatMap(({ remove }) => remove ?? []).map(({ id }) => id);
    expect(removed(ours)).toHaveLength(3);
    expect(removed(ours).sort()).toEqual(removed(theirs).sort());
  });

  it('removes nothing without a policy, by one that keeps none, or unasked', async () => {
    expect(await holdfast('repository:forget')).toMatchObject({ status: 2 });
    expect(await holdfast('repository:forget', '--keep-last', '0')).toMatchObject({ status: 2 });
    expect(await holdfast('repository:forget', '--keep-tag', 'no such')).toMatchObject({ status: 2 });
    expect(await holdfast('repository:forget', '--keep-last', 'x')).toMatchObject({ status: 2 });
    expect(await holdfast('repository:forget', '--keep-last', '1')).toMatchObject({
      status: 2,
      notes: expect.stringContaining('error[confirmation-needed]'),
    });
    expect(await holdfast('repository:forget', 'ffffffff', '--yes')).toMatchObject({ status: 4 });
    expect(await snapshotIds()).toHaveLength(4);
  });
});

describe('repository:stats', () => {
  it('prints what restic prints', async () => {
    for (const mode of ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data']) {
      for (const ids of [[], ['latest']]) {
        const words = ['--mode', mode, '--json', ...ids];
        const ours = JSON.parse(await mustHoldfast('repository:stats', ...words));
        expect(ours).toEqual(JSON.parse(await mustRestic('stats', ...words)));
      }
    }
    expect(await mustHoldfast('repository:stats')).toMatch(/^mode +restore-size\nsnapshots +4\n/);
  });
});

describe('repository:prune', () => {
  it('shows, asks, and frees what forgotten snapshots took', async () => {
    const [first = '', ...others] = await snapshotIds();
    const forgotten = await mustHoldfast('repository:forget', first.slice(0, 10), '--yes');
    expect(forgotten).toBe('');
    expect(await snapshotIds()).toEqual(others);
    expect(await mustHoldfast('repository:prune', '--dry-run', '--max-unused', '0')).toMatch(
      /^Needed: .*\nNot needed: [1-9].*\n/,
    );
    const packs = async () => (await readdir(join(repository, 'data'), { recursive: true })).sort();
    const before = await packs();
    expect(await holdfast('repository:prune', '--max-unused', '0')).toMatchObject({ status: 2 });
    expect(await packs()).toEqual(before);

    const lines = (await mustHoldfast('repository:prune', '--max-unused', '0', '--yes', '--json'))
      .trim()
      .split('\n');
    const [plan, summary] = lines.map((line) => JSON.parse(line));
    expect(plan).toMatchObject({ message_type: 'plan', snapshots: 3, bytes: { unused_after: 0 } });
    expect(summary).toMatchObject({ message_type: 'summary', packs_removed: expect.any(Number) });
    expect(summary.packs_removed).toBeGreaterThan(0);
    await mustRestic('check', '--read-data');
  });

  it('comes with forget, where it is asked for', async () => {
    const [, , latest = ''] = await snapshotIds();
    const words = ['repository:forget', '--keep-last', '1', '--prune', '--max-unused', '0'];
    const plan = await mustHoldfast(...words, '--dry-run');
    expect(await snapshotIds()).toHaveLength(3);
    const done = await mustHoldfast(...words, '--yes');
    expect(await snapshotIds()).toEqual([latest]);
    const freed = /This frees (\S+ \S+);/.exec(plan)?.[1];
    expect(done).toContain(`${freed} freed.`);
    await mustRestic('check', '--read-data');
    await mustHoldfast('repository:check', '--read-data-subset', '1/1');
    expect(await holdfast('repository:check', '--read-data-subset', '3/2')).toMatchObject({ status: 2 });
  });
});

describe('repository:key', () => {
  it('adds, lists, changes and removes passwords as restic does', async () => {
    const keys = async () => JSON.parse(await mustHoldfast('repository:key', 'list', '--json'));
    expect(await keys()).toEqual(JSON.parse(await mustRestic('key', 'list', '--json')));
    await writeFile(join(folder, 'second'), 'second password\n');
    await writeFile(join(folder, 'third'), 'third password\n');
    const maker = ['--user', 'mason', '--host', 'yard'];
    const words = ['repository:key', 'add', '--new-password-file', 'second', ...maker];
    const added = (await mustHoldfast(...words)).trim();
    const theirs: { readonly id: string }[] = JSON.parse(await mustRestic('key', 'list', '--json'));
    expect(await keys()).toEqual(theirs.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
    expect(await keys()).toContainEqual(expect.objectContaining({ userName: 'mason', hostName: 'yard' }));
    await mustRestic('snapshots', '--password-file', 'second');

    const current = (await keys()).find((key: { current: boolean }) => key.current).id;
    expect(await holdfast('repository:key', 'remove', current, '--yes')).toMatchObject({ status: 2 });
    expect(await holdfast('repository:key', 'remove', added)).toMatchObject({ status: 2 });
    expect(await holdfast('repository:key', 'remove')).toMatchObject({ status: 2 });
    expect(await holdfast('repository:key', 'remove', 'ffffffff', '--yes')).toMatchObject({ status: 4 });
    expect(await keys()).toHaveLength(2);
    await mustHoldfast('repository:key', 'remove', added.slice(0, 8), '--yes');
    await expect(mustRestic('snapshots', '--password-file', 'second')).rejects.toThrow('wrong password');

    await mustHoldfast('repository:key', 'passwd', '--new-password-file', 'third');
    expect(await holdfast('repository:key', 'list')).toMatchObject({ status: 5 });
    env = { ...env, RESTIC_PASSWORD: 'third password' };
    expect(await keys()).toHaveLength(1);
    await mustRestic('check');
  });
});

describe('repository:unlock', () => {
  it('removes locks of processes that are gone, and all where it is told to', async () => {
    const { openBackend, openRepository } = await import('@holdfast/engine');
    const opened = await openRepository({
      backend: openBackend(repository),
      password: 'third password',
    });
    await using _lock = await opened.lock('shared');
    expect(await mustHoldfast('repository:unlock')).toBe('Removed 0 locks.\n');
    expect(JSON.parse(await mustHoldfast('repository:unlock', '--remove-all', '--json'))).toEqual({
      message_type: 'summary',
      locks_removed: 1,
    });
    expect(await mustRestic('list', 'locks', '--no-lock')).toBe('');
  });
});
