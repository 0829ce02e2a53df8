import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeSpecialFileAt } from '../filesystem/entries.ts';
import { setAttribute } from '../filesystem/extended-attributes.ts';
import { setModeOfPath, setOwnerAt, setTimesAt } from '../filesystem/metadata.ts';
import { openPathAt, openTrustedDirectory } from '../filesystem/open.ts';
import { type ByteString, toByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';

const kibi = 1024;

/**
 * Fills a new directory with one of everything that a Linux file system can hold, but for sockets: owners, modes with
 * special bits, ACLs and other attributes, times before 1970 and with nanoseconds, hard links across directories,
 * names that are no text, deep paths, sparse and large files. Needs root.
 */
export function makeEveryKind(path: string): void {
  mkdirSync(path, { mode: 0o755 });
  makeFiles(path);
  makeLinks(path);
  makeNames(path);
  makeSpecials(path);
  makeDirectories(path);
  setMetadata(path);
}

function makeFiles(path: string): void {
  mkdirSync(join(path, 'files'));
  const file = (name: string, bytes: Uint8Array | string): void =>
    writeFileSync(join(path, 'files', name), bytes);
  file('empty', '');
  file('small', 'a few words\n');
  file('one-chunk', pseudoRandom(512 * kibi, 1));
  file('large', pseudoRandom(9 * kibi * kibi + 17, 2));
  file('zeros', Buffer.alloc(3 * kibi * kibi));
  file('setuid', '#!/bin/sh\n');
  file('closed', 'nobody may read this');
  const sparse = openSync(join(path, 'files', 'sparse'), 'w');
  writeSync(sparse, 'begin', 0);
  writeSync(sparse, 'middle', 5 * kibi * kibi);
  closeSync(sparse);
  truncateSync(join(path, 'files', 'sparse'), 40 * kibi * kibi);
}

function makeLinks(path: string): void {
  mkdirSync(join(path, 'links', 'below'), { recursive: true });
  symlinkSync('../files/small', join(path, 'links', 'relative'));
  symlinkSync('/nowhere/at all', join(path, 'links', 'dangling'));
  symlinkSync(Buffer.from([0x2f, 0xff, 0xfe, 0x61]), join(path, 'links', 'target-not-text'));
  symlinkSync('x'.repeat(4095), join(path, 'links', 'long'));
  writeFileSync(join(path, 'links', 'below', 'first'), 'three names');
  linkSync(join(path, 'links', 'below', 'first'), join(path, 'links', 'second'));
  linkSync(join(path, 'links', 'below', 'first'), join(path, 'files', 'third'));
  writeFileSync(join(path, 'links', 'one'), 'the same content, another file');
  writeFileSync(join(path, 'links', 'two'), 'the same content, another file');
}

const oddNames: readonly (string | Buffer)[] = [
  'two\nlines',
  'tab\tand "quotes" and \\ and \u0007',
  '<html>&amp;',
  ' blanks ',
  '-rf',
  'größe-名前-🦊-\u200b-\u2028',
  Buffer.from([0xff, 0xfe, 0x2e, 0x80]),
  Buffer.from('latin1-\xe4\xf6\xfc', 'latin1'),
  'n'.repeat(255),
  '\\x41',
];

function makeNames(path: string): void {
  mkdirSync(join(path, 'names'));
  for (const name of oddNames) {
    writeFileSync(Buffer.concat([Buffer.from(join(path, 'names/')), Buffer.from(name)]), 'odd');
  }
  writeFileSync(join(path, 'names', 'e\u0301'), 'decomposed');
  writeFileSync(join(path, 'names', '\u00e9'), 'composed');
}

function makeSpecials(path: string): void {
  mkdirSync(join(path, 'special'));
  using directory = openTrustedDirectory(toByteString(join(path, 'special')));
  const make = (name: string, type: 'fifo' | 'dev' | 'chardev', device: bigint): void =>
    makeSpecialFileAt(directory.number, toByteString(name), { type, device });
  make('pipe', 'fifo', 0n);
  make('null', 'chardev', 0x0103n);
  make('disk', 'dev', 0x0700n);
  // Major 300, minor 70000: more than the old sixteen bits hold.
  make('wide', 'dev', 0x11112c70n);
}

function makeDirectories(path: string): void {
  mkdirSync(join(path, 'directories', 'empty'), { recursive: true });
  mkdirSync(join(path, 'directories', ...Array.from({ length: 40 }, (_, depth) => `level-${depth}`)), {
    recursive: true,
  });
  mkdirSync(join(path, 'directories', 'many'));
  for (let number = 0; number < 2500; number += 1) {
    writeFileSync(join(path, 'directories', 'many', `file-${number}`), `content ${number % 100}`);
  }
}

/** An ACL as the kernel keeps it: owner rwx, user 1234 r-x, group r--, mask r-x, others none. */
const acl = Buffer.from(
  '02000000 0100 0700 ffffffff 0200 0500 d2040000 0400 0400 ffffffff 1000 0500 ffffffff 2000 0000 ffffffff'.replaceAll(
    ' ',
    '',
  ),
  'hex',
);
/** cap_net_bind_service=ep */
const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');

function setMetadata(path: string): void {
  const at = (place: string, set: (directory: number, name: ByteString) => void): void => {
    const slash = place.lastIndexOf('/');
    using directory = openTrustedDirectory(toByteString(join(path, place.slice(0, Math.max(0, slash)))));
    set(directory.number, toByteString(place.slice(slash + 1)));
  };
  const attribute = (place: string, name: string, value: Uint8Array): void =>
    setAttribute(toByteString(join(path, place)), { name: toByteString(name), value });
  const owner = (place: string, uid: number, gid: number): void =>
    at(place, (directory, name) => setOwnerAt(directory, name, { uid, gid }));
  const mode = (place: string, bits: number): void =>
    at(place, (directory, name) => {
      using inode = openPathAt(directory, name);
      setModeOfPath(inode.number, bits);
    });
  const time = (place: string, modifiedAt: FileTime): void =>
    at(place, (directory, name) => setTimesAt(directory, name, { modifiedAt, accessedAt: modifiedAt }));

  owner('files/small', 1, 2);
  owner('files/setuid', 33, 33);
  owner('links/relative', 12345, 54321);
  owner('special/pipe', 4_000_000_000, 4_000_000_001);
  owner('directories/empty', 65534, 65534);
  attribute('files/small', 'user.comment', Buffer.from('<a & b>'));
  attribute('files/small', 'user.empty', Buffer.alloc(0));
  attribute('files/small', 'user.bytes', Buffer.from([0, 255, 10]));
  attribute('files/small', 'trusted.note', Buffer.from('root only'));
  attribute('files/one-chunk', 'system.posix_acl_access', acl);
  attribute('files/setuid', 'security.capability', capability);
  attribute('directories/empty', 'system.posix_acl_default', acl);
  attribute('directories', 'user.long', Buffer.alloc(2000, 'v'));
  attribute('links/dangling', 'trusted.of-a-link', Buffer.from('x'));
  mode('files/setuid', 0o6755);
  mode('files/closed', 0);
  mode('special/pipe', 0o644);
  mode('special/disk', 0o660);
  mode('directories/empty', 0o1777);
  mode('directories/many', 0o2750);
  time('files/small', { seconds: -1, nanoseconds: 999_999_999 });
  time('files/empty', { seconds: -1_000_000_000, nanoseconds: 1 });
  time('files/large', { seconds: 4_000_000_000, nanoseconds: 120_000_000 });
  time('links/relative', { seconds: 1_000_000_000, nanoseconds: 7 });
  time('special/null', { seconds: 0, nanoseconds: 0 });
  time('directories/empty', { seconds: -86_400, nanoseconds: 500_000_000 });
  time('links', { seconds: 1_234_567_890, nanoseconds: 123_456_789 });
  time('.', { seconds: 981_173_106, nanoseconds: 987_654_321 });
}

/** The same bytes every time, and not compressible. */
function pseudoRandom(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let state = seed;
  for (let at = 0; at < sizeBytes; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
