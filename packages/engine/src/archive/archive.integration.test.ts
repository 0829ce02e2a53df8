import { execFileSync } from 'node:child_process';
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../backend/open-backend.ts';
import { type ByteString, toByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import { initRepository } from '../repository/init-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { backupSources } from '../snapshot/backup.ts';
import { findNode } from '../snapshot/tree-reader.ts';
import { compareTrees } from '../testing/compare-trees.ts';
import { makeEveryKind } from '../testing/every-kind.ts';
import { quickRuntime } from '../testing/quick-runtime.ts';
import { stockRestics } from '../testing/stock-restic.ts';
import { snapshotOf } from '../testing/test-repository.ts';
import type { ArchiveContents, ArchiveMember } from './archive-items.ts';
import { entriesBeneath, writeContent, writeTar, writeZip } from './write-archive.ts';

const password = 'a password';

let work: string;
let source: string;
let repository: Repository;
let treeId: TreeId;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'holdfast-archive-'));
  source = join(work, 'source');
  makeEveryKind(source);
  const deep = join(source, ...Array.from({ length: 12 }, (_, at) => `a-folder-with-a-long-name-${at}`));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, `${'x'.repeat(120)}.txt`), 'deep');
  writeFileSync(join(source, 'before-1970'), 'old');
  utimesSync(join(source, 'before-1970'), -1.5, -1.5);
  const backend = openBackend(join(work, 'repository'));
  repository = await initRepository({ backend, passwords: [password], runtime: quickRuntime() });
  await using lock = await repository.lock('shared');
  await using writer = await repository.openWriter({ lock });
  const { blobs, polynomial } = repository;
  const sources = [{ path: source, treePath: ['data'] as const }];
  ({ treeId } = await backupSources({ writer, blobs, polynomial, sources, options: { ownerNames: true } }));
  await writer.flush();
  await repository.snapshots.save(snapshotOf(treeId, {}), { lock });
  await repository.refreshIndex({});
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

async function archiveTo(path: string, prefix = '', checksumsFolder?: ByteString): Promise<number> {
  return await writeTo(path, writeTar, { members: members(prefix), checksumsFolder });
}

function members(prefix = ''): AsyncIterable<ArchiveMember> {
  return entriesBeneath({ blobs: repository.blobs, treeId, prefix: toByteString(prefix) });
}

async function writeTo(path: string, write: typeof writeTar, contents: ArchiveContents): Promise<number> {
  const output = createWriteStream(path);
  const writtenBytes = await write({ blobs: repository.blobs, ...contents, output });
  output.end();
  await finished(output);
  return writtenBytes;
}

describe('a tar archive', () => {
  it('holds all that GNU tar can take out of one, to the nanosecond', async () => {
    const archive = join(work, 'all.tar');
    const bytes = await archiveTo(archive);
    expect(readFileSync(archive)).toHaveLength(bytes);
    const out = join(work, 'out');
    mkdirSync(out);
    const flags = ['--xattrs', '--xattrs-include=*', '--same-owner', '-p', '--numeric-owner'];
    execFileSync('tar', [...flags, '-xf', archive, '-C', out], { stdio: ['ignore', 'ignore', 'pipe'] });
    expect(compareTrees(source, join(out, 'data'))).toEqual([]);
  });

  it('names what stock restic names in its own, and pipes and devices too', async () => {
    const archive = join(work, 'names.tar');
    await archiveTo(archive);
    const namesIn = (path: string): string[] =>
      execFileSync('tar', ['--quoting-style=escape', '-tf', path], { encoding: 'utf8' })
        .trim()
        .split('\n')
        .sort();
    for (const restic of await stockRestics()) {
      const theirs = join(work, 'theirs.tar');
      const script = `"$0" --no-cache -r "$1" dump latest / > "$2"`;
      const env = { ...process.env, RESTIC_PASSWORD: password };
      execFileSync('sh', ['-c', script, restic.program, join(work, 'repository'), theirs], { env });
      const ours = namesIn(archive).filter((name) => !/^data\/special\/./.test(name));
      expect(ours, restic.version).toEqual(namesIn(theirs));
    }
  });

  it('begins its paths with what is asked for', async () => {
    const archive = join(work, 'prefixed.tar');
    await archiveTo(archive, '/srv/app');
    const names = execFileSync('tar', ['-tf', archive], { encoding: 'utf8' }).split('\n');
    expect(names[0]).toBe('srv/app/data/');
  });

  it('has checksums that sha256sum takes, for whatever names', async () => {
    const archive = join(work, 'checked.tar');
    await archiveTo(archive, '', toByteString('/checksums'));
    const out = join(work, 'checked');
    mkdirSync(out);
    execFileSync('tar', ['-xf', archive, '-C', out, '--exclude=data/special']);
    const files = readdirSync(join(out, 'checksums'));
    const lines = files.flatMap((name) =>
      readFileSync(join(out, 'checksums', name), 'latin1')
        .trimEnd()
        .split('\n'),
    );
    const count = execFileSync('find', [join(out, 'data'), '-type', 'f', '-printf', 'x']).length;
    expect(lines.length).toBeLessThanOrEqual(count);
    expect(lines.length).toBeGreaterThan(count / 2);
    execFileSync('sh', ['-c', 'cat checksums/* | sha256sum --quiet --strict -c'], { cwd: out });
    writeFileSync(join(out, 'data', 'before-1970'), 'odd');
    const check = () => execFileSync('sh', ['-c', 'cat checksums/* | sha256sum --status -c'], { cwd: out });
    expect(check).toThrow();
  });

  it('ends with the error of an output that breaks', async () => {
    const output = new PassThrough();
    output.on('error', () => {});
    const { blobs } = repository;
    const members = entriesBeneath({ blobs, treeId, prefix: toByteString('') });
    const writing = writeTar({ blobs, members, output });
    output.once('data', () => output.destroy(new Error('The other end is gone.')));
    await expect(writing).rejects.toThrow();
  });
});

describe('a zip archive', () => {
  /** Type, mode, owner, second of the last change and target of each; unzip gives links no times. */
  const listing = (folder: string): string[] => {
    const [file, link] = ['%P|%y|%m|%U|%G|%TY-%Tm-%Td %TH:%TM:%.2TS', '%P|%y|%U|%G|%l'];
    const skipped = `-path './special/*' -o -path './names/*'`;
    const script = `cd "$0" && find . ${skipped} -o -type l -printf '${link}\\0' -o -printf '${file}\\0'`;
    return execFileSync('sh', ['-c', script, folder], { encoding: 'latin1' }).split('\0').sort();
  };
  /** What unzip cannot set: it takes times before 1970 for none. */
  const beyondUnzip = ['files/small', 'files/empty', 'files/large', 'directories/empty', 'names'];
  const isPlain = (line: string): boolean => !beyondUnzip.includes(line.split('|')[0] ?? '');

  it('holds what unzip can take out of one: modes, owners, times, links and contents', async () => {
    const archive = join(work, 'all.zip');
    const bytes = await writeTo(archive, writeZip, { members: members() });
    expect(readFileSync(archive)).toHaveLength(bytes);
    execFileSync('unzip', ['-tqq', archive]);
    const out = join(work, 'unzipped');
    // It would change names that it takes for no text.
    execFileSync('unzip', ['-qqXK', archive, '-x', 'data/names/*', '-d', out]);
    const [theirs, ours] = [join(out, 'data'), source].map((folder) => new Set(listing(folder)));
    expect([...(ours?.difference(theirs ?? new Set()) ?? [])].filter(isPlain)).toEqual([]);
    expect([...(theirs?.difference(ours ?? new Set()) ?? [])].filter(isPlain)).toEqual([]);
    execFileSync('diff', [
      '-r',
      '--no-dereference',
      '-x',
      'special',
      '-x',
      'names',
      source,
      join(out, 'data'),
    ]);
  });

  it('is read by Python, with all contents', async () => {
    const archive = join(work, 'python.zip');
    await writeTo(archive, writeZip, { members: members(), checksumsFolder: toByteString('/checksums') });
    const script = [
      'import sys, zipfile',
      'archive = zipfile.ZipFile(sys.argv[1])',
      'print(sum(len(archive.read(entry)) == entry.file_size for entry in archive.infolist()))',
    ].join('\n');
    const count = Number(execFileSync('python3', ['-c', script, archive], { encoding: 'utf8' }));
    const all = `find "$0" -path "$0/special/*" -o -printf x`;
    // And the checksums.
    expect(count).toBe(execFileSync('sh', ['-c', all, source]).length + 1);
  });

  it('may have a file, and be a file, of more bytes than four can count', { timeout: 600_000 }, async () => {
    const names = ['data', 'files', 'zeros'].map(toByteString) as [ByteString];
    const zeros = await findNode(repository.blobs, treeId, names);
    const times = Math.ceil(2 ** 32 / zeros.size) + 1;
    const content = Array.from({ length: times }, () => zeros.content ?? []).flat();
    const large = { ...zeros, content, size: times * zeros.size };
    const both = async function* (): AsyncGenerator<ArchiveMember> {
      yield { path: toByteString('/large'), node: large };
      yield { path: toByteString('/after'), node: zeros };
    };
    const archive = join(work, 'large.zip');
    await writeTo(archive, writeZip, { members: both() });
    const listed = execFileSync('unzip', ['-Zs', archive], { encoding: 'utf8' });
    expect(listed).toContain(` ${large.size} `);
    execFileSync('unzip', ['-tqq', archive]);
    rmSync(archive);
  });
});

describe('a file', () => {
  it('comes as it is', async () => {
    const node = await findNode(
      repository.blobs,
      treeId,
      ['data', 'before-1970'].map(toByteString) as [ByteString],
    );
    const output = new PassThrough();
    expect(await writeContent({ blobs: repository.blobs, node, output })).toBe(3);
    expect(String(output.read())).toBe('old');
  });
});
