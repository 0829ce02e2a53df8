import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Backup and restore with restic's options, beside stock restic: the newest of those that the variable lists. */
const restic = (process.env.HOLDFAST_TEST_RESTIC ?? '').split(':').at(-1) || 'restic';
const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const cacheTag = 'Signature: 8a477f597d28d172789f06886806bc55\n# a cache\n';

let folder: string;
let env: NodeJS.ProcessEnv;

interface Finished {
  readonly status: number;
  readonly output: string;
  readonly notes: string;
}

function run(program: string, words: readonly string[], input = ''): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      words,
      { env, cwd: folder, maxBuffer: 64 * 1024 * 1024 },
      (_error, output, notes) => resolve({ status: child.exitCode ?? -1, output, notes }),
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

async function must(program: string, words: readonly string[], input?: string): Promise<string> {
  const { status, output, notes } = await run(program, words, input);
  expect(status, notes).toBe(0);
  return output;
}

const holdfast = (...words: string[]) => run(process.execPath, [main, ...words]);
const mustHoldfast = (...words: string[]) => must(process.execPath, [main, ...words]);
const mustRestic = (...words: string[]) => must(restic, ['--no-cache', ...words]);

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-verbs-'));
  await put({
    'source/etc/app/a.conf': 'a',
    'source/etc/app/B.CONF': 'b',
    'source/etc/app/notes.txt': 'n',
    'source/etc/other/c.conf': 'c',
    'source/cache/CACHEDIR.TAG': cacheTag,
    'source/cache/thing': 'x',
    'source/no-cache/CACHEDIR.TAG': 'something else',
    'source/no-cache/thing': 'x',
    'source/skip/.nobackup': '',
    'source/skip/deep/thing': 'x',
    'source/large': 'x'.repeat(5000),
    'source/small': 'x',
    'source/empty/.keep': '',
    patterns: '# comment\n\n  *.txt  \n$SKIPPED\n$$x\n',
    'any-case': '*.CoNf\n',
    list: '# comment\nsource/etc/*/*.conf\n\nsource/small\n',
    verbatim: 'source/small\nsource/etc/app/a.conf\n',
    raw: 'source/small\0source/large\0',
  });
  env = {
    ...process.env,
    RESTIC_REPOSITORY: join(folder, 'repository'),
    RESTIC_PASSWORD: 'a password of the test',
    RESTIC_HOST: 'anvil',
    SKIPPED: 'skip',
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
  };
  await mustHoldfast('repository:init');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface SnapshotJson {
  readonly id: string;
  readonly tree: string;
  readonly time: string;
  readonly paths: readonly string[];
  readonly tags?: readonly string[];
  readonly [field: string]: unknown;
}

async function snapshots(...words: string[]): Promise<SnapshotJson[]> {
  return JSON.parse(await mustRestic('snapshots', '--json', ...words));
}

function messages(output: string): Record<string, unknown>[] {
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('backup', () => {
  it('is compared by stock restic with the one before', async () => {
    await put({ 'compared/stays': 's', 'compared/changes': '1', 'compared/goes': 'g' });
    await mustHoldfast('repository:backup', 'compared', '--tag', 'compared');
    await put({ 'compared/changes': '22', 'compared/comes': 'c' });
    await rm(join(folder, 'compared/goes'));
    await mustHoldfast('repository:backup', 'compared', '--tag', 'compared');
    const [before, after] = await snapshots('--tag', 'compared');
    const changes = messages(await mustRestic('diff', '--json', before?.id ?? '', after?.id ?? ''))
      .filter(({ message_type: type }) => type === 'change')
      .map(({ path, modifier }) => `${modifier} ${String(path).split('/').at(-1)}`);
    expect(changes.sort()).toEqual(['+ comes', '- goes', 'M changes']);
  });

  it('keeps access times where that is asked for, as stock restic does', async () => {
    await put({ 'times/file': 'f' });
    await utimes(join(folder, 'times/file'), 1_000_000_000, 2_000_000_000);
    const atime = async (who: string, ...words: string[]) => {
      if (who === 'ours') await mustHoldfast('repository:backup', 'times', '--tag', 'times', ...words);
      else await mustRestic('backup', '--quiet', '--force', 'times', '--tag', 'times', ...words);
      const { id } = (await snapshots('--tag', 'times', '--latest', '1')).at(-1) ?? { id: '' };
      const nodes = messages(await mustRestic('ls', '--json', id));
      return nodes.find(({ name }) => name === 'file')?.atime;
    };
    const kept = await atime('ours', '--with-atime');
    expect(kept).toContain('2001-09-09');
    expect(await atime('theirs', '--with-atime')).toEqual(kept);
    expect(await atime('ours')).toContain('2033-05-18');
    expect(await atime('theirs')).toContain('2033-05-18');
  });

  it('is found by the host that RESTIC_HOST names, where none is given', async () => {
    await mustHoldfast('repository:backup', 'source/small', '--host', 'elsewhere');
    const hosts = async (...words: string[]) => {
      const listed = JSON.parse(await mustHoldfast('repository:snapshots', '--json', ...words));
      return new Set(listed.map(({ hostname }: { readonly hostname: string }) => hostname));
    };
    expect(await hosts()).toEqual(new Set(['anvil']));
    expect(await hosts('--host', 'elsewhere')).toEqual(new Set(['elsewhere']));
    expect(JSON.parse(await mustHoldfast('repository:stats', '--json')).snapshots_count).toBe(
      JSON.parse(await mustRestic('stats', '--json')).snapshots_count,
    );
  });

  it('takes what stock restic takes', async () => {
    const cases = [
      ['source', '--exclude-file', 'patterns'],
      ['source', '--iexclude-file', 'any-case', '--exclude', '/*/source/etc/other', '--exclude-caches'],
      ['source', '--exclude-if-present', '.nobackup', '--exclude-if-present', 'CACHEDIR.TAG:something'],
      ['source', '--exclude-larger-than', '4k', '-x', '--iexclude', 'NOTES.*'],
      ['--files-from-raw', 'raw', '--files-from', 'list', '--files-from-verbatim', 'verbatim', '-e', 'B*'],
    ];
    for (const [index, words] of cases.entries()) {
      await mustHoldfast('repository:backup', ...words, '--tag', `ours-${index}`);
      await mustRestic('backup', '--quiet', '--force', ...words, '--tag', `theirs-${index}`);
    }
    const made = await snapshots();
    for (const [index, words] of cases.entries()) {
      const [ours, theirs] = ['ours', 'theirs'].map((who) => {
        const snapshot = made.find(({ tags }) => tags?.includes(`${who}-${index}`));
        return { tree: snapshot?.tree, paths: snapshot?.paths, excludes: snapshot?.excludes };
      });
      expect(ours, words.join(' ')).toEqual(theirs);
    }
    expect(made[0]?.hostname).toBe('anvil');
  });

  it('saves standard input as stock restic does, in bounded pieces', async () => {
    const words = [main, 'repository:backup', '--stdin', '--time', '2020-01-02 03:04:05', '--json'];
    const content = 'a line of a dump\n'.repeat(200_000);
    const summary = messages(await must(process.execPath, words, content)).at(-1);
    expect(summary).toMatchObject({ message_type: 'summary', files_new: 1, dirs_new: 0 });
    expect(summary).toMatchObject({ total_bytes_processed: content.length });
    const theirs = ['--no-cache', 'backup', '--quiet', '--stdin', '--time', '2020-01-02 03:04:05'];
    await must(restic, theirs, content);
    const made = await snapshots('--path', '/stdin');
    expect(made.map(({ tree, time }) => ({ tree, time }))).toEqual(
      Array(2).fill({ tree: made[0]?.tree, time: expect.stringMatching('^2020-01-02T03:04:05') }),
    );
    const empty = await run(process.execPath, words, '');
    expect(empty).toMatchObject({ status: 1, notes: expect.stringContaining('"source-empty"') });
  });

  it("saves a command's output, and nothing when the command fails", async () => {
    const command = ['--stdin-filename', 'dumps/all.sql', '--stdin-from-command', '--', 'sh', '-c'];
    await mustHoldfast('repository:backup', ...command, 'echo "from $0"; sleep 0.2; echo end', 'sql');
    expect(await mustRestic('dump', 'latest', '/dumps/all.sql')).toBe('from sql\nend\n');
    for (const [script, what] of [
      ['echo half; exit 3', 'ended with 3'],
      ['echo half; kill -9 $$', 'died of SIGKILL'],
    ] as const) {
      const failed = await holdfast('repository:backup', ...command, script);
      expect(failed).toMatchObject({ status: 1, output: '', notes: expect.stringContaining(what) });
    }
    expect(await snapshots('--path', '/dumps/all.sql')).toHaveLength(1);
    await mustRestic('check', '--read-data');
  });

  it('chooses what it compares with by host, paths, tags and time, and may save no snapshot', async () => {
    const backUp = async (...words: string[]) =>
      messages(await mustHoldfast('repository:backup', '--json', 'source/etc', ...words)).at(-1);
    const packs = () => readdir(join(env.RESTIC_REPOSITORY ?? '', 'data'), { recursive: true });
    const before = await packs();
    await put({ 'source/etc/new': randomUUID() });
    expect(await backUp('--dry-run')).toMatchObject({ dry_run: true, files_new: 5, data_blobs: 1 });
    expect(await packs()).toEqual(before);
    await backUp('--tag', 'a,b', '--time', '2021-01-01 00:00:00');
    expect(await backUp('--host', 'other', '-g', 'paths')).toMatchObject({ files_unmodified: 5 });
    expect(await backUp('--host', 'other2', '-g', 'tags', '--tag', 'b')).toMatchObject({
      files_unmodified: 5,
    });
    expect(await backUp('-g', 'tags', '--tag', 'c')).toMatchObject({ files_new: 5 });
    expect(await backUp('--time', '2019-01-01 00:00:00')).toMatchObject({ files_new: 5 });
    const same = await backUp('--skip-if-unchanged');
    expect(same).toMatchObject({ data_added: 0 });
    expect(same).not.toHaveProperty('snapshot_id');
    const made = await snapshots('--path', join(folder, 'source/etc'));
    expect(
      made
        .map(({ time }) => time.slice(0, 4))
        .sort()
        .slice(0, 2),
    ).toEqual(['2019', '2021']);
    expect(made).toHaveLength(3);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'tells what it may not read, saves the rest, and ends with 3',
    async () => {
      await put({ 'partly/open': 'x', 'partly/closed': 'x', 'partly/folder/below': 'x' });
      await chmod(join(folder, 'partly', 'closed'), 0);
      await chmod(join(folder, 'partly', 'folder'), 0);
      for (const path of [folder, env.RESTIC_REPOSITORY ?? ''])
        await must('chmod', ['-R', 'a+rwX', '--', path]);
      await chmod(join(folder, 'partly', 'closed'), 0);
      await chmod(join(folder, 'partly', 'folder'), 0);
      const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
      const words = [...nobody, process.execPath, main, 'repository:backup', 'partly', '--json'];
      const { status, output, notes } = await run('setpriv', words);
      expect(status, notes).toBe(3);
      expect(messages(output).at(-1)).toMatchObject({ files_new: 1 });
      expect(messages(notes)).toEqual([
        expect.objectContaining({ during: 'archival', item: join(folder, 'partly', 'closed') }),
        expect.objectContaining({ during: 'archival', item: join(folder, 'partly', 'folder') }),
        expect.objectContaining({ message_type: 'exit_error', exit_status: 3 }),
      ]);
      expect(await mustRestic('dump', 'latest', '/partly/open')).toBe('x');
    },
  );
});

describe('restore', () => {
  beforeAll(async () => {
    await mustHoldfast('repository:backup', 'source', '--host', 'restored');
  });

  it.each<readonly string[][]>([
    [['--include', '*.conf', '--iinclude', 'LARGE']],
    [['--exclude-file', 'patterns', '--iexclude', 'THING', '--delete']],
    [['--include', '/source/etc', '--iinclude-file', 'any-case', '--delete', '--overwrite', 'if-newer']],
  ])('%j does what stock restic does', async (words) => {
    for (const target of ['ours', 'theirs']) {
      await put({
        [`${target}/source/etc/app/old.conf`]: 'old',
        [`${target}/source/etc/app/old.txt`]: 'old',
        [`${target}/source/etc/app/a.conf`]: 'changed',
        [`${target}/extra`]: 'extra',
      });
      for (const name of ['a.conf', 'old.conf', 'old.txt']) {
        await utimes(join(folder, target, 'source/etc/app', name), 1, 1);
      }
    }
    await mustHoldfast('repository:restore', 'latest', '-H', 'restored', '-t', 'ours', ...words);
    await mustRestic('restore', 'latest', '-H', 'restored', '-t', 'theirs', ...words);
    expect(await must('diff', ['-r', 'ours', 'theirs'])).toBe('');
    const times = async (target: string) =>
      await must('find', [target, '-printf', '%P %m %U %G %y %T@\\n', '-mindepth', '2']);
    expect((await times('ours')).split('\n').sort()).toEqual((await times('theirs')).split('\n').sort());
    for (const target of ['ours', 'theirs']) await rm(join(folder, target), { recursive: true });
  });

  it('tells beforehand what it would do', async () => {
    await put({ 'target/source/small': 'other', 'target/old': 'x' });
    const words = [
      'repository:restore',
      'latest',
      '--host',
      'restored',
      '--target',
      'target',
      '--include',
      '/source/small',
      '--include',
      '/old',
    ];
    const output = await mustHoldfast(...words, '--delete', '--dry-run', '--verbose', '--json');
    const target = join(folder, 'target');
    expect(messages(output)).toEqual([
      { message_type: 'verbose_status', action: 'updated', item: join(target, 'source/small'), size: 1 },
      { message_type: 'verbose_status', action: 'deleted', item: join(target, 'old'), size: 0 },
      expect.objectContaining({ message_type: 'summary', files_deleted: 1, dry_run: true }),
    ]);
    expect(await readFile(join(target, 'old'), 'utf8')).toBe('x');
    expect(await readFile(join(target, 'source/small'), 'utf8')).toBe('other');
  });
});

it('an interrupt ends a backup that waits for standard input', async () => {
  const child = spawn(process.execPath, [main, 'repository:backup', '--stdin'], { env });
  const notes = text(child.stderr);
  const locks = join(env.RESTIC_REPOSITORY ?? '', 'locks');
  await expect.poll(() => readdir(locks), { timeout: 20_000 }).toHaveLength(1);
  child.kill('SIGINT');
  const [status] = await once(child, 'close');
  expect({ status, notes: await notes }).toEqual({
    status: 130,
    notes: expect.stringContaining('error[interrupted]'),
  });
  expect(await readdir(locks)).toEqual([]);
});
