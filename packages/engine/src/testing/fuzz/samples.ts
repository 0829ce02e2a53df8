import { encodeConfig } from '../../format/config.ts';
import { asId } from '../../format/id-codec.ts';
import type { BlobId, IndexId, PackId, SnapshotId, TreeId } from '../../format/ids.ts';
import { encodeIndexFile } from '../../format/index-file.ts';
import { encodeKeyFile, encodeMasterKey } from '../../format/key-file.ts';
import { encodeLockFile } from '../../format/lock-file.ts';
import { encodePackHeader, type PackedBlob } from '../../format/pack-header.ts';
import { encodeSnapshot } from '../../format/snapshot-file.ts';
import { testBytes } from '../test-bytes.ts';
import { snapshotOf } from '../test-repository.ts';

/** Valid documents of every kind, to be changed. */

const id = <Id extends string>(digit: string): Id => asId<Id & never>(digit.repeat(64)) as Id;

export const blobs: readonly PackedBlob[] = [
  { type: 'data', id: id<BlobId>('3'), offset: 0, length: 38, uncompressedLength: undefined },
  { type: 'tree', id: id<BlobId>('9'), offset: 38, length: 112, uncompressedLength: 511 },
  { type: 'data', id: id<BlobId>('a'), offset: 150, length: 70_000, uncompressedLength: 1_000_000 },
];

export const packHeaders = [encodePackHeader(blobs), encodePackHeader([])];

export const configs = [encodeConfig({ id: '1'.repeat(64), chunkerPolynomial: '25b468838dcb75' })];

export const indexes = [
  encodeIndexFile({ supersedes: [], packs: [] }),
  encodeIndexFile({
    supersedes: [id<IndexId>('e')],
    packs: [
      { id: id<PackId>('7'), blobs },
      { id: id<PackId>('8'), blobs: blobs.slice(0, 1) },
    ],
  }),
];

export const snapshots = [
  encodeSnapshot(snapshotOf(id<TreeId>('5'))),
  encodeSnapshot(
    snapshotOf(id<TreeId>('5'), {
      parent: id<SnapshotId>('6'),
      original: id<SnapshotId>('7'),
      tags: ['nightly', 'two'],
      excludes: ['*.tmp'],
      uid: 1000,
      gid: 100,
      programVersion: 'holdfast 0',
      unknownFields: { later: [1, { two: 'three' }] },
    }),
  ),
];

export const locks = [
  encodeLockFile({
    time: { epochNs: 1_435_400_331_759_239_612n, offsetMinutes: 120 },
    exclusive: false,
    hostname: 'kasimir',
    username: 'fd0',
    pid: 13_607,
    uid: 1000,
    gid: 100,
  }),
];

export const keys = [
  encodeKeyFile({
    created: '2026-01-01T00:00:00Z',
    username: 'smith',
    hostname: 'anvil',
    scrypt: { N: 1024, r: 8, p: 1 },
    salt: testBytes('salt', 64),
    sealedMasterKey: testBytes('data', 171),
  }),
];

export const masterKeys = [
  encodeMasterKey({ encrypt: testBytes('e', 32), macK: testBytes('k', 16), macR: testBytes('r', 16) }),
];

const times =
  '"mtime":"2026-01-01T00:00:00.5Z","atime":"2026-01-01T00:00:00Z","ctime":"1969-12-31T23:59:59Z"';
const common = `${times},"uid":0,"gid":7,"inode":18446744073709551615`;

export const trees = [
  '{"nodes":[]}\n',
  `{"nodes":[{"name":"a","type":"dir","mode":2147484141,${common},"content":null,"subtree":"${'5'.repeat(64)}"},` +
    `{"name":"b","type":"file","mode":420,${common},"links":1,"size":9,"content":["${'3'.repeat(64)}"],` +
    '"extended_attributes":[{"name":"user.x","value":"AAE="}]},' +
    `{"name":"c\\\\xff","type":"symlink","mode":134218239,${common},"linktarget":"x","linktarget_raw":"/w==","content":null}]}\n`,
].map((text) => Buffer.from(text));
