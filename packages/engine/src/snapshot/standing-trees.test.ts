import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomPolynomial } from '../chunker/polynomial.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { backupSources } from './backup.ts';
import type { BackupResult, ParentBackup } from './backup-request.ts';
import { TreeSpool } from './tree-spool.ts';

/** Each change is made to a tree of its own that has settled, and has to be seen by the pass after it. */

const polynomial = randomPolynomial();
const changes: Record<string, (folder: string) => void> = {
  nothing: () => {},
  'contents of the same length': (folder) => writeFileSync(join(folder, 'a/file'), 'CONTENTS'),
  'contents, with the old modification time put back': (folder) => {
    const { atime, mtime } = statSync(join(folder, 'a/file'));
    writeFileSync(join(folder, 'a/file'), 'CONTENTS');
    utimesSync(join(folder, 'a/file'), atime, mtime);
  },
  'a longer file, far below': (folder) => appendFileSync(join(folder, 'a/b/c/deep'), 'more'),
  'a mode': (folder) => chmodSync(join(folder, 'a/file'), 0o600),
  'an owner': (folder) => chownSync(join(folder, 'a/file'), 1234, 1234),
  'an attribute': (folder) => execFileSync('setfattr', ['-n', 'user.a', '-v', 'b', join(folder, 'a/file')]),
  'an attribute of a directory': (folder) =>
    execFileSync('setfattr', ['-n', 'user.a', '-v', 'b', join(folder, 'a/b')]),
  'a new file': (folder) => writeFileSync(join(folder, 'a/b/new'), 'new'),
  'a new directory': (folder) => mkdirSync(join(folder, 'a/b/new')),
  'a file that is gone': (folder) => rmSync(join(folder, 'a/b/c/deep')),
  'a directory that is gone': (folder) => rmSync(join(folder, 'a/b'), { recursive: true }),
  'a new name': (folder) => renameSync(join(folder, 'a/file'), join(folder, 'a/named')),
  'another file of the same name': (folder) => {
    writeFileSync(join(folder, 'other'), 'contents');
    renameSync(join(folder, 'other'), join(folder, 'a/file'));
  },
  'a directory in the place of a file': (folder) => {
    rmSync(join(folder, 'a/file'));
    mkdirSync(join(folder, 'a/file'));
  },
  'two files that change names': (folder) => {
    renameSync(join(folder, 'a/file'), join(folder, 'a/third'));
    renameSync(join(folder, 'a/second'), join(folder, 'a/file'));
    renameSync(join(folder, 'a/third'), join(folder, 'a/second'));
  },
  'where a link leads': (folder) => {
    rmSync(join(folder, 'a/link'));
    symlinkSync('elsewhere', join(folder, 'a/link'));
  },
  'another link to a file': (folder) => linkSync(join(folder, 'a/file'), join(folder, 'linked')),
  'a time': (folder) => utimesSync(join(folder, 'a/b'), 1, 2),
};

interface Subject {
  readonly folder: string;
  readonly blobs: MemoryBlobs;
  readonly trees: TreeSpool;
  readonly parent: ParentBackup;
}

let place: string;
const subjects = new Map<string, Subject>();
let socket: ReturnType<typeof createServer>;

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'standing-'));
  for (const name of Object.keys(changes)) {
    const folder = join(place, name);
    mkdirSync(join(folder, 'a/b/c'), { recursive: true });
    mkdirSync(join(folder, 'z/empty'), { recursive: true });
    writeFileSync(join(folder, 'a/file'), 'contents');
    writeFileSync(join(folder, 'a/second'), 'contents of the other');
    writeFileSync(join(folder, 'a/b/c/deep'), 'deep');
    writeFileSync(join(folder, 'z/last'), 'last');
    symlinkSync('file', join(folder, 'a/link'));
    for (let number = 0; number < 20; number += 1) writeFileSync(join(folder, 'z', `${number}`), `${number}`);
  }
  socket = createServer().listen(join(place, 'nothing', 'socket'));
  await delay(2200);
  for (const name of Object.keys(changes)) {
    const folder = join(place, name);
    const blobs = new MemoryBlobs();
    const trees = new TreeSpool(place);
    const startedAtMs = Date.now();
    const { treeId } = await backUp({ folder, blobs, trees });
    subjects.set(name, { folder, blobs, trees, parent: { treeId, startedAtMs } });
  }
  await delay(2200);
});

afterAll(() => {
  socket?.close();
  for (const { trees } of subjects.values()) trees[Symbol.dispose]();
  rmSync(place, { recursive: true, force: true });
});

async function backUp({
  folder,
  parent,
  ...request
}: Omit<Subject, 'parent' | 'trees'> & {
  readonly parent?: ParentBackup;
  readonly trees?: TreeSpool;
}): Promise<BackupResult> {
  return await backupSources({
    ...request,
    writer: request.blobs,
    parent,
    polynomial,
    sources: [{ path: folder, treePath: ['data'] }],
    options: { mappedWrites: { sync: true, inodes: new Set() } },
  });
}

function counts({ summary: { files, dirs, bytes } }: BackupResult) {
  return { files, dirs, bytes };
}

it.each(Object.entries(changes))('%s', async (name, change) => {
  const subject = subjects.get(name);
  if (subject === undefined) throw new Error('There is no such tree.');
  change(subject.folder);
  const startedAtMs = Date.now();
  const second = await backUp(subject);
  // Without anything from before: what is there.
  const { folder } = subject;
  const fresh = await backUp({ folder, blobs: new MemoryBlobs() });
  expect(second.treeId).toBe(fresh.treeId);
  expect(counts(second)).toEqual(counts(fresh));
  expect(second.warnings).toEqual([]);
  const third = await backUp({ ...subject, parent: { treeId: second.treeId, startedAtMs } });
  expect(third.treeId).toBe(fresh.treeId);
  expect(counts(third)).toEqual(counts(fresh));
});

it('reads nothing of what stands: neither trees nor attributes', async () => {
  const { folder, blobs, trees, parent } = subjects.get('nothing') ?? {};
  if (folder === undefined || blobs === undefined || trees === undefined)
    throw new Error('There is no tree.');
  let reads = 0;
  const counting = new Proxy(blobs, {
    get: (target, key) => {
      if (key === 'hasBlobBytes' || key === 'hasBlob') reads += 1;
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await backUp({ folder, blobs: counting, trees, ...(parent && { parent }) });
  expect(reads).toBe(0);
});

it('a file that a process maps is looked at, though it stands', async () => {
  const subject = subjects.get('nothing');
  if (subject === undefined) throw new Error('There is no tree.');
  const { ino } = statSync(join(subject.folder, 'a/b/c/deep'), { bigint: true });
  const { summary } = await backupSources({
    writer: subject.blobs,
    blobs: subject.blobs,
    trees: subject.trees,
    parent: subject.parent,
    polynomial,
    sources: [{ path: subject.folder, treePath: ['data'] }],
    options: { mappedWrites: { sync: true, inodes: new Set([ino]) } },
  });
  expect(readFileSync(join(subject.folder, 'a/b/c/deep'), 'utf8')).toBe('deep');
  expect(summary.fileCounts.unmodified).toBe(24);
});
