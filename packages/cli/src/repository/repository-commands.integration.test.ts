import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBackend, openRepository } from '@holdfast/engine';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

/** The repository commands as a user runs them, beside stock restic: the newest of those that the variable lists. */
const restic = (process.env.HOLDFAST_TEST_RESTIC ?? '').split(':').at(-1) || 'restic';
const main = fileURLToPath(new URL('../main.ts', import.meta.url));

let folder: string;
let source: string;
let repository: string;
let env: NodeJS.ProcessEnv;
let count = 0;

interface Finished {
  readonly status: number;
  readonly output: string;
  readonly notes: string;
}

interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly onNote?: (text: string) => void;
}

/** Relative paths are below the test's folder: a snapshot of them does not hold the folders above, which change. */
function run(program: string, words: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const settings = { env: { ...env, ...options.env }, cwd: folder, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(program, words, settings, (_error, output, notes) =>
      resolve({ status: child.exitCode ?? -1, output, notes }),
    );
    child.stderr?.on('data', (text: string) => options.onNote?.(text));
  });
}

async function mustRun(program: string, ...words: string[]): Promise<string> {
  const { status, output, notes } = await run(program, words);
  expect(status, notes).toBe(0);
  return output;
}

const holdfast = (...words: string[]) => run(process.execPath, [main, ...words]);
const mustHoldfast = (...words: string[]) => mustRun(process.execPath, main, ...words);
const mustRestic = (...words: string[]) => mustRun(restic, ...words);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-repository-'));
  source = join(folder, 'source');
  await mkdir(join(source, 'sub', 'empty'), { recursive: true });
  await writeFile(join(source, 'sub', 'one'), 'one\n');
  await writeFile(join(source, 'two'), randomBytes(3_000_000));
  await writeFile(join(source, 'left-out.tmp'), 'x');
  await symlink('sub/one', join(source, 'link'));
  await chmod(join(source, 'sub', 'one'), 0o640);
});

beforeEach(() => {
  count += 1;
  repository = join(folder, `repository-${count}`);
  env = {
    ...process.env,
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: 'a password of the test',
    RESTIC_CACHE_DIR: join(folder, 'cache'),
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
  };
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What comes before are messages of how far it is. */
function lastMessage(output: string): Record<string, unknown> {
  return JSON.parse(output.trim().split('\n').at(-1) ?? '');
}

async function expectSame(target: string): Promise<void> {
  expect(await run('diff', ['-r', '--no-dereference', source, target])).toMatchObject({
    status: 0,
    output: '',
  });
}

describe('what Holdfast makes', () => {
  it('stock restic lists, checks, restores, and adds nothing to', async () => {
    expect(await mustHoldfast('repository:init')).toMatch(/^Repository [0-9a-f]{10} is made at /);
    const { status, output, notes } = await holdfast(
      'repository:backup',
      'source',
      '--tag',
      'a,b',
      '--tag',
      'c',
    );
    expect(status, notes).toBe(0);
    expect(output).toMatch(/^[0-9a-f]{64}\n$/);
    expect(notes).toContain('Files: 3 new, 0 changed, 0 unchanged.');
    const [snapshot] = JSON.parse(await mustRestic('snapshots', '--json'));
    expect(snapshot).toMatchObject({
      id: output.trim(),
      hostname: hostname(),
      username: userInfo().username,
      paths: [source],
      tags: ['a', 'b', 'c'],
    });
    await mustRestic('check', '--read-data');
    await mustRestic('restore', 'latest', '--target', join(repository, '..', 'by-restic'));
    await expectSame(join(folder, 'by-restic', 'source'));
    const again = JSON.parse(
      (await mustRestic('backup', '--json', 'source')).trim().split('\n').at(-1) ?? '',
    );
    expect(again).toMatchObject({ files_unmodified: 3, dirs_unmodified: expect.any(Number), data_added: 0 });
  });

  it('is compared with the last snapshot of the same host and paths, unless told otherwise', async () => {
    await mustHoldfast('repository:init', '--json');
    const summary = async (...words: string[]) =>
      lastMessage(await mustHoldfast('repository:backup', '--json', 'source', ...words));
    expect(await summary()).toMatchObject({
      message_type: 'summary',
      files_new: 3,
      data_blobs: expect.any(Number),
    });
    const second = await summary();
    expect(second).toMatchObject({ files_new: 0, files_unmodified: 3, data_added: 0 });
    expect(await summary('--host', 'elsewhere')).toMatchObject({ files_new: 3, data_added: 0 });
    expect(await summary('--host', 'nowhere', '--parent', String(second.snapshot_id))).toMatchObject({
      files_unmodified: 3,
    });
    expect(await summary('--force')).toMatchObject({ files_new: 3, data_added: 0 });
    const snapshots = JSON.parse(await mustHoldfast('repository:snapshots', '--json'));
    expect(snapshots).toHaveLength(5);
    expect(snapshots[1].parent).toBe(snapshots[0].id);
    const newest = JSON.parse(await mustHoldfast('repository:snapshots', '--json', '--latest', '1'));
    expect(newest.map((snapshot: { hostname: string }) => snapshot.hostname).sort()).toEqual(
      [hostname(), 'elsewhere', 'nowhere'].sort(),
    );
  });

  it('leaves out what is excluded, as restic does', async () => {
    await mustHoldfast('repository:init');
    await mustHoldfast('repository:backup', 'source', '--exclude', '*.tmp', '-e', 'sub');
    await mustRestic('backup', 'source', '--exclude', '*.tmp', '--exclude', 'sub');
    const trees = JSON.parse(await mustHoldfast('repository:snapshots', '--json'));
    expect(trees[0].tree).toBe(trees[1].tree);
    expect(trees[0].excludes).toEqual(['*.tmp', 'sub']);
    const paths = (await mustHoldfast('repository:ls', 'latest')).trim().split('\n');
    expect(paths).toContain('/source/two');
    expect(paths).not.toContain('/source/left-out.tmp');
  });

  it('ends with 3 when something could not be read, and with 4 when nothing was there', async () => {
    await mustHoldfast('repository:init');
    const some = await holdfast('repository:backup', source, join(folder, 'nothing'));
    expect(some.status).toBe(3);
    expect(some.output).toMatch(/^[0-9a-f]{64}\n$/);
    expect(some.notes).toMatch(/^warning: .*nothing: /m);
    const none = await holdfast('repository:backup', join(folder, 'nothing'), '--json');
    expect(none.status).toBe(4);
    expect(JSON.parse(none.notes)).toMatchObject({
      message_type: 'exit_error',
      code: 'source-missing',
      exit_status: 4,
    });
  });
});

describe('what stock restic makes', () => {
  it('is listed, shown, checked and restored', async () => {
    await mustRestic('init');
    await mustRestic('backup', source, '--tag', 'theirs');
    const ours = JSON.parse(await mustHoldfast('repository:snapshots', '--json', '--tag', 'theirs'));
    const theirs = JSON.parse(await mustRestic('snapshots', '--json'));
    expect(ours).toEqual(theirs);
    expect(await mustHoldfast('repository:snapshots')).toMatch(
      /^ID +TIME +HOST +TAGS +SIZE +PATHS\n[0-9a-f]{8} /,
    );
    expect(await mustHoldfast('repository:snapshots', '--host', 'nobody')).toBe('');

    const listed = (await mustRestic('ls', 'latest'))
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('/'));
    expect((await mustHoldfast('repository:ls', 'latest')).trim().split('\n')).toEqual(listed);
    const long = await mustHoldfast('repository:ls', `${theirs[0].short_id}:${source}/sub`, '-l');
    expect(long).toMatch(new RegExp(`^-rw-r----- \\S+ +\\S+ +4 \\S+ ${source}/sub/one$`, 'm'));

    expect(await mustHoldfast('repository:check', '--read-data')).toBe('No errors were found.\n');
    await mustHoldfast('repository:restore', 'latest', '--target', join(folder, 'by-us'));
    await expectSame(join(folder, 'by-us', source));
    await mustHoldfast('repository:restore', `latest:${source}`, '--target', join(folder, 'part'));
    await expectSame(join(folder, 'part'));
  });

  it('is written out, a file as it is and a directory as an archive, as restic does', async () => {
    await mustRestic('init');
    await mustRestic('backup', source);
    const file = `${source}/sub/one`;
    expect(await mustHoldfast('repository:dump', 'latest', file)).toBe(
      await mustRestic('dump', 'latest', file),
    );
    const archive = join(folder, 'source.tar');
    await writeFile(archive, 'what was there before');
    await mustHoldfast('repository:dump', `latest:${source}`, '/', '--target', archive);
    await mkdir(join(folder, 'unpacked'));
    await run('tar', ['--same-owner', '-xpf', archive, '-C', join(folder, 'unpacked')], {});
    await expectSame(join(folder, 'unpacked'));
    const names = (await run('tar', ['-tf', archive], {})).output;
    expect(names.split('\n')).toContain('sub/one');

    const refused = await holdfast('repository:dump', 'latest', '/nowhere', '--target', archive);
    expect(refused).toMatchObject({ status: 4, notes: expect.stringContaining('error[path-unknown]') });
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('is restored over what is there, by the rule and with --delete', async () => {
    await mustRestic('init');
    await mustRestic('backup', source);
    const target = join(folder, 'target');
    await mkdir(target);
    await writeFile(join(target, 'two'), 'other');
    await writeFile(join(target, 'extra'), 'x');
    const restore = (...words: string[]) =>
      mustHoldfast('repository:restore', `latest:${source}`, '--target', target, '--json', ...words);
    expect(lastMessage(await restore('--overwrite', 'never'))).toMatchObject({ message_type: 'summary' });
    expect(await readFile(join(target, 'two'), 'utf8')).toBe('other');
    expect(lastMessage(await restore('--delete', '--verify'))).toMatchObject({ files_deleted: 1 });
    await expectSame(target);
  });
});

describe('what is wrong', () => {
  it.each<[string, string[], NodeJS.ProcessEnv, number, string]>([
    ['no repository', ['repository:snapshots'], {}, 4, 'repository-missing'],
    ['no repository named', ['repository:snapshots'], { RESTIC_REPOSITORY: '' }, 2, 'usage-invalid'],
    ['a kind of repository that is to come', ['repository:check', '-r', 's3:x/y'], {}, 2, 'usage-invalid'],
    ['no target', ['repository:restore', 'latest'], {}, 2, 'usage-invalid'],
    ['no paths', ['repository:backup'], {}, 2, 'usage-invalid'],
  ])('%s', async (_what, words, change, status, code) => {
    const result = await run(process.execPath, [main, ...words], { env: change });
    expect(result.status).toBe(status);
    expect(result.output).toBe('');
    expect(result.notes).toMatch(new RegExp(`^error\\[${code}\\]: [^\\n]+\\n$`));
  });

  it('a password, a snapshot, a path', async () => {
    await mustRestic('init');
    await mustRestic('backup', source);
    const wrong = await run(process.execPath, [main, 'repository:ls', 'latest'], {
      env: { RESTIC_PASSWORD: 'x' },
    });
    expect(wrong).toMatchObject({ status: 5, notes: expect.stringContaining('error[password-wrong]') });
    const target = ['--target', join(folder, 'never')];
    const unknown = await holdfast('repository:restore', '00000000', ...target);
    expect(unknown).toMatchObject({ status: 4, notes: expect.stringContaining('error[snapshot-unknown]') });
    const noPath = await holdfast('repository:restore', 'latest:/nowhere', ...target);
    expect(noPath).toMatchObject({ status: 4, notes: expect.stringContaining('error[path-unknown]') });
    const noFolder = await holdfast('repository:ls', `latest:${source}/two`);
    expect(noFolder).toMatchObject({ status: 2, notes: expect.stringContaining('is not a directory') });
  });

  it('damage: check says what it takes with it, and ends with 1', async () => {
    await mustRestic('init');
    await mustRestic('backup', source);
    const data = join(repository, 'data');
    const packs = (await readdir(data, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    for (const pack of packs) await rm(join(pack.parentPath, pack.name), { force: true });
    const { status, output, notes } = await holdfast('repository:check');
    expect({ status, output }).toEqual({ status: 1, output: '' });
    expect(notes).toMatch(/^error: pack [0-9a-f]{64} is missing$/m);
    expect(notes).toMatch(/^error\[repository-damaged\]: The repository has \d+ errors\. /m);
    const json = await holdfast('repository:check', '--json');
    expect(json.status).toBe(1);
    const lines = json.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toEqual({ message_type: 'summary', num_errors: lines.length - 1 });
  });

  it('a lock of somebody else: told, waited for, or done without', async () => {
    await mustHoldfast('repository:init');
    const open = await openRepository({
      backend: openBackend(repository),
      password: env.RESTIC_PASSWORD ?? '',
    });
    const lock = await open.lock('exclusive');
    try {
      const refused = await holdfast('repository:backup', source);
      expect(refused).toMatchObject({ status: 6, notes: expect.stringContaining(`process ${process.pid}`) });
      expect((await holdfast('repository:check', '--no-lock')).status).toBe(0);
      const words = [main, 'repository:backup', source, '--retry-lock', '30s'];
      const waited = await run(process.execPath, words, {
        onNote: (text) => {
          if (text.includes('Waiting up to 30 s')) void lock.release();
        },
      });
      expect(waited).toMatchObject({ status: 0, notes: expect.stringContaining('Waiting up to 30 s') });
    } finally {
      await lock.release();
    }
  });
});

describe('signals', () => {
  async function startBackup(): Promise<{ child: ChildProcess; ended: Promise<Finished> }> {
    const large = join(folder, `large-${count}`);
    await mkdir(large);
    for (let index = 0; index < 24; index += 1)
      await writeFile(join(large, `${index}`), randomBytes(16 * 1024 * 1024));
    const child = spawn(process.execPath, [main, 'repository:backup', large], { env });
    let notes = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      notes += text;
    });
    child.stdout.resume();
    const ended = once(child, 'close').then(([status]) => ({ status: status as number, output: '', notes }));
    await expect.poll(() => notes, { timeout: 20_000 }).toContain('reading files');
    return { child, ended };
  }

  it('Ctrl-C ends a backup, and leaves no lock and a sound repository', async () => {
    await mustHoldfast('repository:init');
    const { child, ended } = await startBackup();
    child.kill('SIGINT');
    expect(await ended).toMatchObject({
      status: 130,
      notes: expect.stringContaining('error[interrupted]: '),
    });
    expect(await mustRestic('list', 'locks', '--no-lock')).toBe('');
    expect(await mustRestic('snapshots', '--json')).toMatch(/^(\[\]|null)\n?$/);
    await mustRestic('check');
  });

  it("stock restic's unlock does not end it", async () => {
    await mustHoldfast('repository:init');
    const { child, ended } = await startBackup();
    await mustRestic('unlock');
    child.kill('SIGHUP');
    expect((await ended).status).toBe(0);
  });
});

it('ls ends quietly when nobody reads on', async () => {
  await mustHoldfast('repository:init');
  await mustHoldfast('repository:backup', fileURLToPath(new URL('../../../', import.meta.url)));
  const child = spawn(process.execPath, [main, 'repository:ls', 'latest', '--json'], { env });
  let notes = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    notes += text;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const [status] = await once(child, 'close');
  expect({ status, notes }).toEqual({ status: 0, notes: '' });
});
