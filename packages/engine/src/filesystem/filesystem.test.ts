import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isHoldfastError } from '@holdfast/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteString, bytesToByteString, toByteString } from '../format/byte-string.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../testing/temporary-directory.ts';
import { entryNames } from './directory-entries.ts';
import {
  link,
  makeDirectoryAt,
  makeSpecialFileAt,
  makeSymlinkAt,
  readLinkAt,
  removeDirectoryAt,
  renameAt,
  unlinkAt,
} from './entries.ts';
import {
  attributeNames,
  readAttributes,
  readAttributesAt,
  removeAttribute,
  setAttribute,
} from './extended-attributes.ts';
import { deviceNumber, isDirectory, isRegularFile, statusAt, statusOf, statusOfPath } from './file-status.ts';
import { nextData } from './holes.ts';
import { procPath, setModeOfPath, setOwnerAt, setTimes, setTimesAt } from './metadata.ts';
import {
  createFileAt,
  type Descriptor,
  openDirectoryAt,
  openFileAt,
  openPathAt,
  openTrustedDirectory,
} from './open.ts';
import { syncFileSystem } from './sync.ts';
import { SystemError, sourceError, targetError } from './system-error.ts';

let place: TemporaryDirectory;
let directory: Descriptor;

beforeEach(async () => {
  place = await temporaryDirectory();
  directory = openTrustedDirectory(toByteString(place.path));
});

afterEach(async () => {
  directory[Symbol.dispose]();
  await place[Symbol.asyncDispose]();
});

const name = (text: string): ByteString => toByteString(text);
const inPlace = (...names: string[]): string => join(place.path, ...names);
const isRoot = process.getuid?.() === 0;

/** What coreutils say, to check our reading of the kernel's structures by another program's. */
function stat(format: string, ...path: string[]): string {
  return execFileSync('stat', ['-c', format, inPlace(...path)], { encoding: 'utf8' }).trim();
}

describe('status', () => {
  it('is what stat(1) says, to the nanosecond', () => {
    writeFileSync(inPlace('file'), 'twelve bytes');
    const status = statusAt(directory.number, name('file'));
    const said = stat('%f %i %h %u %g %s %d %.9X %.9Y %.9Z', 'file').split(' ');
    const seconds = (time: { seconds: number; nanoseconds: number } | undefined) =>
      `${time?.seconds}.${String(time?.nanoseconds).padStart(9, '0')}`;
    expect([
      status?.mode.toString(16),
      ...[status?.inode, status?.links, status?.uid, status?.gid, status?.size, status?.deviceId].map(String),
      ...[status?.accessedAt, status?.modifiedAt, status?.changedAt].map(seconds),
    ]).toEqual(said);
    expect(status && isRegularFile(status)).toBe(true);
  });

  it('is that of a symbolic link itself, or by its path of what it leads to', () => {
    symlinkSync('.', inPlace('link'));
    const status = statusAt(directory.number, name('link'));
    expect(status && isDirectory(status)).toBe(false);
    expect(statusOfPath(name(inPlace('link')))?.inode).toBe(statusOf(directory.number).inode);
  });

  it('is undefined where nothing is', () => {
    expect(statusAt(directory.number, name('nothing'))).toBeUndefined();
    expect(statusOfPath(name(inPlace('nothing', 'below')))).toBeUndefined();
  });

  it('tells mount points', () => {
    expect(statusOf(directory.number).isMountPoint).toBe(false);
    expect(statusOfPath(name('/proc'))?.isMountPoint).toBe(true);
  });

  it('packs device numbers as the kernel does', () => {
    expect(deviceNumber(1, 3)).toBe(0x103n);
    expect(deviceNumber(300, 70_000)).toBe(0x11112c70n);
    expect(statusOfPath(name('/dev/null'))?.device).toBe(0x103n);
  });
});

describe('entries', () => {
  it('have names of any bytes, sorted by them', () => {
    const names = [Buffer.from([0xff, 0x01]), Buffer.from('ä'), Buffer.from('a\nb'), Buffer.from('Z')];
    for (const bytes of names) writeFileSync(Buffer.concat([Buffer.from(inPlace('/')), bytes]), '');
    expect(entryNames(directory.number)).toEqual(
      [names[3], names[2], names[1], names[0]].map((bytes) => bytesToByteString(bytes ?? Buffer.alloc(0))),
    );
  });

  it('are all listed when there are many', () => {
    for (let number = 0; number < 3000; number += 1)
      writeFileSync(inPlace(`${'n'.repeat(200)}${number}`), '');
    expect(new Set(entryNames(directory.number)).size).toBe(3000);
  });

  it('are made, linked, renamed and removed', () => {
    expect(makeDirectoryAt(directory.number, name('d'))).toBe(true);
    expect(makeDirectoryAt(directory.number, name('d'))).toBe(false);
    makeSymlinkAt(directory.number, name('s'), bytesToByteString(Buffer.from([0xff, 0x2f])));
    expect(readLinkAt(directory.number, name('s'))).toBe('\xff/');
    link({ directory: directory.number, name: name('s') }, { directory: directory.number, name: name('t') });
    expect(statusAt(directory.number, name('t'))?.links).toBe(2);
    renameAt(directory.number, name('s'), name('u'));
    expect(entryNames(directory.number)).toEqual(['d', 't', 'u']);
    expect([unlinkAt(directory.number, name('u')), unlinkAt(directory.number, name('u'))]).toEqual([
      true,
      false,
    ]);
    removeDirectoryAt(directory.number, name('d'));
    expect(entryNames(directory.number)).toEqual(['t']);
  });

  it.runIf(isRoot)('are devices and pipes', () => {
    makeSpecialFileAt(directory.number, name('wide'), { type: 'dev', device: deviceNumber(300, 70_000) });
    makeSpecialFileAt(directory.number, name('pipe'), { type: 'fifo', device: 0n });
    expect(stat('%F %t %T', 'wide')).toBe('block special file 12c 11170');
    expect(stat('%F', 'pipe')).toBe('fifo');
  });
});

describe('opening', () => {
  it('never goes through a symbolic link', () => {
    mkdirSync(inPlace('real'));
    writeFileSync(inPlace('real', 'file'), 'x');
    symlinkSync('real', inPlace('link'));
    symlinkSync('real/file', inPlace('file-link'));
    expect(() => openDirectoryAt(directory.number, name('link'))).toThrow(
      expect.objectContaining({ code: 'ENOTDIR' }),
    );
    expect(() => openFileAt(directory.number, name('file-link'))).toThrow(
      expect.objectContaining({ code: 'ELOOP' }),
    );
    using real = openDirectoryAt(directory.number, name('real'));
    expect(entryNames(real.number)).toEqual(['file']);
  });

  it.runIf(isRoot)('does not wait for the writer of a pipe', () => {
    makeSpecialFileAt(directory.number, name('pipe'), { type: 'fifo', device: 0n });
    using pipe = openFileAt(directory.number, name('pipe'));
    expect(isRegularFile(statusOf(pipe.number))).toBe(false);
  });

  it('makes new files only', () => {
    using file = createFileAt(directory.number, name('new'));
    expect((statusOf(file.number).mode & 0o777).toString(8)).toBe('600');
    expect(() => createFileAt(directory.number, name('new'))).toThrow(
      expect.objectContaining({ code: 'EEXIST' }),
    );
  });
});

describe('metadata', () => {
  const times = {
    accessedAt: { seconds: -2, nanoseconds: 1 },
    modifiedAt: { seconds: -1_000_000_000, nanoseconds: 987_654_321 },
  };

  it('has times before 1970 and with nanoseconds, of files and of links themselves', () => {
    writeFileSync(inPlace('file'), '');
    symlinkSync('file', inPlace('link'));
    setTimesAt(directory.number, name('link'), times);
    expect(statusAt(directory.number, name('link'))).toMatchObject(times);
    expect(statusAt(directory.number, name('file'))?.modifiedAt.seconds).toBeGreaterThan(0);
    using file = openFileAt(directory.number, name('file'));
    setTimes(file.number, times);
    expect(statusOf(file.number)).toMatchObject({ modifiedAt: times.modifiedAt });
    expect(stat('%.9Y', 'file')).toBe('-999999999.012345679');
  });

  it.runIf(isRoot)('has modes of pipes, and owners of links, without following or opening', () => {
    makeSpecialFileAt(directory.number, name('pipe'), { type: 'fifo', device: 0n });
    using pipe = openPathAt(directory.number, name('pipe'));
    setModeOfPath(pipe.number, 0o4751);
    symlinkSync('pipe', inPlace('link'));
    setOwnerAt(directory.number, name('link'), { uid: 4_000_000_000, gid: 7 });
    expect([stat('%a', 'pipe'), stat('%u:%g', 'pipe')]).toEqual(['4751', '0:0']);
    expect(stat('%u:%g', 'link')).toBe('4000000000:7');
  });

  it('has extended attributes of any bytes and length', () => {
    writeFileSync(inPlace('file'), '');
    using file = openFileAt(directory.number, name('file'));
    const path = procPath(directory.number, name('file'));
    const attributes = [
      { name: name('user.empty'), value: Buffer.alloc(0) },
      { name: name('user.bytes'), value: Buffer.from([0, 255, 10]) },
      { name: name('user.long'), value: Buffer.alloc(3000, 'v') },
    ];
    for (const attribute of attributes) setAttribute(file.number, attribute);
    for (const holder of [file.number, path]) {
      expect(readAttributes(holder).toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
        attributes.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      );
    }
    removeAttribute(path, name('user.bytes'));
    removeAttribute(path, name('user.bytes'));
    expect(attributeNames(path).toSorted()).toEqual(['user.empty', 'user.long']);
  });

  it('has more attributes than the first guess holds', () => {
    writeFileSync(inPlace('file'), '');
    using file = openFileAt(directory.number, name('file'));
    for (let number = 0; number < 30; number += 1) {
      setAttribute(file.number, {
        name: name(`user.${'n'.repeat(50)}${number}`),
        value: Buffer.from([number]),
      });
    }
    expect(attributeNames(file.number)).toHaveLength(30);
  });

  it('has no attributes where the file system keeps none', () => {
    expect(readAttributes(name('/proc/version'))).toEqual([]);
  });
});

it('finds the data between holes', () => {
  const file = openSync(inPlace('sparse'), 'w+');
  writeSync(file, 'data', 1 << 20);
  truncateSync(inPlace('sparse'), 4 << 20);
  expect(nextData(file, 0)).toEqual({ start: 1 << 20, end: (1 << 20) + 4096 });
  expect(nextData(file, 2 << 20)).toBeUndefined();
  closeSync(file);
});

it('writes a file system to storage', async () => {
  await syncFileSystem(directory.number);
  await expect(syncFileSystem(-1)).rejects.toThrow(expect.objectContaining({ code: 'EIO' }));
});

describe('attributes of an entry', () => {
  it('are those of the entry itself, few, many or none', () => {
    for (const file of ['none', 'one', 'many']) writeFileSync(inPlace(file), '');
    symlinkSync('one', inPlace('link'));
    const holder = (file: string): ByteString => procPath(directory.number, name(file));
    setAttribute(holder('one'), { name: name('user.one'), value: Buffer.from([0, 255]) });
    for (let number = 0; number < 20; number += 1) {
      const attribute = `user.${'long'.repeat(20)}${number}`;
      setAttribute(holder('many'), { name: name(attribute), value: Buffer.alloc(50, number) });
    }
    for (const file of ['none', 'one', 'many', 'link']) {
      expect(readAttributesAt(directory.number, name(file))).toEqual(readAttributes(holder(file)));
    }
    expect(readAttributesAt(directory.number, name('many'))).toHaveLength(20);
    expect(readAttributesAt(directory.number, name('link'))).toEqual([]);
    expect(() => readAttributesAt(directory.number, name('nothing'))).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    );
  });
});

describe('failures', () => {
  it.each([
    ['ENOSPC', 'target-full'],
    ['EDQUOT', 'target-full'],
    ['EROFS', 'target-not-writable'],
    ['EACCES', 'target-not-writable'],
    ['EIO', 'target-not-writable'],
  ])('%s of a target is %s, with a hint where one helps', (systemCode, code) => {
    const error = targetError(new SystemError(systemCode, 'openat'), name('/tar\nget'));
    expect(error).toMatchObject({ code, context: { path: '/tar\\nget', systemCode } });
    if (systemCode !== 'EIO') expect(error.hint).toBeDefined();
  });

  it.each([
    ['ENOENT', 'source-missing'],
    ['ENOTDIR', 'source-missing'],
    ['EACCES', 'source-unreadable'],
  ])('%s of a source is %s', (systemCode, code) => {
    expect(sourceError(new SystemError(systemCode, 'openat'), name('/source'))).toMatchObject({ code });
  });

  it('of other kinds stay what they are, or are defects', () => {
    const known = targetError(new SystemError('ENOSPC', 'write'), name('/a'));
    expect(targetError(known, name('/b'))).toBe(known);
    expect(isHoldfastError(sourceError(new TypeError('x'), name('/a')), 'internal')).toBe(true);
  });
});
