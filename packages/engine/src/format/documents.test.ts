import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeConfig, encodeConfig } from './config.ts';
import { asId } from './id-codec.ts';
import type { BlobId, IndexId, PackId, SnapshotId, TreeId } from './ids.ts';
import { decodeIndexFile, encodeIndexFile } from './index-file.ts';
import { encodeJson } from './json.ts';
import { decodeKeyFile, decodeMasterKey } from './key-file.ts';
import { decodeLockFile, encodeLockFile } from './lock-file.ts';
import { decodeSnapshot, encodeSnapshot, type SnapshotRecord } from './snapshot-file.ts';

const id = (digit: string): string => digit.repeat(64);
const damaged = expect.objectContaining({ code: 'repository-damaged' });

describe('the config', () => {
  it('is written as restic writes it', () => {
    const config = { id: id('1'), chunkerPolynomial: '25b468838dcb75' };
    const json = `{"version":2,"id":"${id('1')}","chunker_polynomial":"25b468838dcb75"}`;
    expect(encodeConfig(config).toString()).toBe(json);
    expect(decodeConfig(Buffer.from(json))).toEqual(config);
  });

  it.each([1, 3, 99])('of version %d is not supported', (version) => {
    const decoding = (): unknown =>
      decodeConfig(encodeJson({ version, id: id('1'), chunker_polynomial: '25' }));
    expect(decoding).toThrow(expect.objectContaining({ code: 'repository-unsupported' }));
  });
});

describe('a lock', () => {
  it('is written as restic writes it', () => {
    const lock = {
      time: { epochNs: 1435400331759239612n, offsetMinutes: 120 },
      exclusive: false,
      hostname: 'kasimir',
      username: 'fd0',
      pid: 13607,
      uid: 1000,
      gid: 100,
    };
    const json =
      '{"time":"2015-06-27T12:18:51.759239612+02:00","exclusive":false,"hostname":"kasimir","username":"fd0","pid":13607,"uid":1000,"gid":100}';
    expect(encodeLockFile(lock).toString()).toBe(json);
    expect(decodeLockFile(Buffer.from(json))).toEqual(lock);
  });

  it('leaves out the ids of root, as restic does', () => {
    const time = { epochNs: 0n, offsetMinutes: 0 };
    const lock = { time, exclusive: true, hostname: 'h', username: 'root', pid: 1, uid: 0, gid: 0 };
    expect(encodeLockFile(lock).toString()).not.toMatch(/uid|gid/);
    expect(decodeLockFile(encodeLockFile(lock))).toEqual(lock);
  });
});

describe('an index', () => {
  const packs = [
    {
      id: asId<PackId>(id('7')),
      blobs: [
        {
          id: asId<BlobId>(id('3')),
          type: 'data' as const,
          offset: 0,
          length: 38,
          uncompressedLength: undefined,
        },
        {
          id: asId<BlobId>(id('9')),
          type: 'tree' as const,
          offset: 38,
          length: 112,
          uncompressedLength: 511,
        },
      ],
    },
  ];

  it('is written as restic writes it', () => {
    const json = `{"supersedes":["${id('e')}"],"packs":[{"id":"${id('7')}","blobs":[{"id":"${id('3')}","type":"data","offset":0,"length":38},{"id":"${id('9')}","type":"tree","offset":38,"length":112,"uncompressed_length":511}]}]}`;
    const index = { supersedes: [asId<IndexId>(id('e'))], packs };
    expect(encodeIndexFile(index).toString()).toBe(json);
    expect(decodeIndexFile(Buffer.from(json), 'index')).toEqual(index);
  });

  it('may lack lists, or have null for them', () => {
    expect(decodeIndexFile(Buffer.from('{}'), 'index')).toEqual({ supersedes: [], packs: [] });
    expect(decodeIndexFile(Buffer.from('{"packs":null}'), 'index')).toEqual({ supersedes: [], packs: [] });
  });

  it.each([
    ['an offset below zero', { offset: -1 }],
    ['a length that is no whole number', { length: 1.5 }],
    ['a length beyond that of any pack', { length: 2 ** 32 }],
    ['an unknown type', { type: 'leaf' }],
    ['an id in capitals', { id: id('A') }],
    ['no id', { id: undefined }],
  ])('with %s is damaged', (_, wrong) => {
    const blob = { id: id('3'), type: 'data', offset: 0, length: 38, ...wrong };
    const json = encodeJson({ packs: [{ id: id('7'), blobs: [blob] }] });
    expect(() => decodeIndexFile(json, 'index')).toThrow(damaged);
  });
});

describe('a snapshot', () => {
  const time = { epochNs: 1420218650895208559n, offsetMinutes: 60 };
  const record: SnapshotRecord = {
    time,
    parent: asId<SnapshotId>(id('b')),
    tree: asId<TreeId>(id('2')),
    paths: ['/tmp/a&b'],
    hostname: 'kasimir',
    username: 'fd0',
    uid: 1000,
    gid: 100,
    excludes: ['*.tmp'],
    tags: ['NL'],
    original: asId<SnapshotId>(id('d')),
    programVersion: 'restic 0.18.0',
    summary: undefined,
    unknownFields: { sparkle: { deep: [1, 'two'] } },
  };
  const json =
    `{"time":"2015-01-02T18:10:50.895208559+01:00","parent":"${id('b')}","tree":"${id('2')}","paths":["/tmp/a\\u0026b"],` +
    `"hostname":"kasimir","username":"fd0","uid":1000,"gid":100,"excludes":["*.tmp"],"tags":["NL"],"original":"${id('d')}",` +
    `"program_version":"restic 0.18.0","sparkle":{"deep":[1,"two"]}}`;

  it('is written in the order and with the escapes of restic, and keeps fields that it does not know', () => {
    expect(encodeSnapshot(record).toString()).toBe(json);
    expect(decodeSnapshot(Buffer.from(json), 'snapshot')).toEqual(record);
  });

  it('needs no more than a time, a tree and paths', () => {
    const short = { time: '2015-01-02T18:10:50Z', tree: id('2'), paths: ['/'] };
    const decoded = decodeSnapshot(encodeJson(short), 'snapshot');
    expect(decoded).toMatchObject({ hostname: '', uid: 0, tags: [], unknownFields: {} });
    expect(JSON.parse(encodeSnapshot(decoded).toString())).toEqual(short);
  });

  it('keeps its summary', () => {
    const counts = {
      filesNew: 1,
      filesChanged: 2,
      filesUnmodified: 3,
      dirsNew: 4,
      dirsChanged: 5,
      dirsUnmodified: 6,
      dataBlobs: 7,
      treeBlobs: 8,
      dataAdded: 9,
      dataAddedPacked: 10,
      totalFilesProcessed: 11,
      totalBytesProcessed: 12,
    };
    const withSummary = { ...record, summary: { backupStart: time, backupEnd: time, ...counts } };
    const encoded = encodeSnapshot(withSummary);
    expect(encoded.toString()).toContain(
      '"summary":{"backup_start":"2015-01-02T18:10:50.895208559+01:00","backup_end":',
    );
    expect(encoded.toString()).toContain(
      '"data_added_packed":10,"total_files_processed":11,"total_bytes_processed":12}',
    );
    expect(decodeSnapshot(encoded, 'snapshot')).toEqual(withSummary);
  });

  it.each([
    ['no tree', { tree: undefined }],
    ['a tree that is no id', { tree: 'abc' }],
    ['a time that is none', { time: 'today' }],
    ['paths that are no list', { paths: 'all' }],
    ['a tag that is no text', { tags: [1] }],
    ['a parent that is no id', { parent: 7 }],
    ['a summary that is no object', { summary: 'good' }],
  ])('with %s is damaged', (_, wrong) => {
    const fields = { time: '2015-01-02T18:10:50Z', tree: id('2'), paths: ['/'], ...wrong };
    expect(() => decodeSnapshot(encodeJson(fields), 'snapshot')).toThrow(damaged);
  });
});

describe('every document', () => {
  const decoders = [
    decodeConfig,
    decodeKeyFile,
    decodeLockFile,
    decodeMasterKey,
    (bytes: Uint8Array) => decodeIndexFile(bytes, 'index'),
    (bytes: Uint8Array) => decodeSnapshot(bytes, 'snapshot'),
  ];

  it('turns garbage into an error with a code', () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.json().map((json) => Buffer.from(json)),
      fc
        .dictionary(
          fc.constantFrom('version', 'id', 'packs', 'time', 'tree', 'paths', 'kdf', 'N', 'mac'),
          fc.jsonValue(),
        )
        .map(encodeJson),
    );
    fc.assert(
      fc.property(garbage, fc.constantFrom(...decoders), (bytes, decode) => {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^repository-(damaged|unsupported)$/) });
        }
      }),
    );
  });
});
