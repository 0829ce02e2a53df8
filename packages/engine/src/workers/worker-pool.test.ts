import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../crypto/hash.ts';
import { randomMasterKey } from '../crypto/master-key.ts';
import { makeFile } from '../filesystem/make-file.ts';
import { openTrustedDirectory } from '../filesystem/open.ts';
import type { ByteString } from '../format/byte-string.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId } from '../format/ids.ts';
import { sealBlob } from '../pack/blob-seal.ts';
import { WorkerPool } from './worker-pool.ts';

const bytes = Buffer.from('what is in the blob');
const id = asId<BlobId>(sha256(bytes));
const time = { seconds: 1, nanoseconds: 2 };
const metadata = {
  type: 'file',
  mode: 0o640,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  accessedAt: time,
  modifiedAt: time,
  extendedAttributes: [],
} as const;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('worker pools', () => {
  it('work side by side on the same threads, each under its own key', async () => {
    await using first = new WorkerPool(randomMasterKey());
    await using second = new WorkerPool(randomMasterKey());
    const thread = first.next();
    const hash = { name: 'hashBytes', request: { hold: 1, bytes } } as const;
    expect(await Promise.all([first.call(thread, hash), second.call(thread, hash)])).toEqual([id, id]);
    const seal = {
      name: 'sealHeld',
      request: { hold: 1, chosen: [0], into: Buffer.from(new SharedArrayBuffer(1000)) },
    } as const;
    expect(await first.call(thread, seal)).toHaveLength(1);
    expect(await second.call(thread, seal)).toHaveLength(1);
  });

  it('end only after what is under way, and then take no more', async () => {
    const pool = new WorkerPool(randomMasterKey());
    const thread = pool.next();
    const hashing = pool.call(thread, { name: 'hashBytes', request: { hold: 1, bytes } });
    await pool[Symbol.asyncDispose]();
    expect(await hashing).toBe(id);
    await expect(pool.call(thread, { name: 'hashBytes', request: { hold: 2, bytes } })).rejects.toThrow(
      'came after its end',
    );
  });

  it('say what became of each blob that is to be a file: made, damaged, or not to be made', async () => {
    const key = randomMasterKey();
    await using pool = new WorkerPool(key);
    const { sealed, uncompressedLength } = sealBlob(key, id, bytes);
    const damaged = Buffer.from(sealed);
    damaged.writeUInt8(damaged.readUInt8(20) ^ 1, 20);
    using opened = openTrustedDirectory(directory as ByteString);
    const blob = (name: string, offset: number, open = opened.number) => ({
      id,
      offset,
      length: sealed.length,
      uncompressedLength,
      to: { directory: open, name: name as ByteString, metadata },
    });
    const none = openSync(directory, 'r');
    closeSync(none);
    const request = {
      sealed: Buffer.concat([sealed, damaged]),
      blobs: [blob('made', 0), blob('damaged', sealed.length), blob('nowhere', 0, none)],
      options: { sparse: false, willSync: true },
    };
    const copies = await pool.call(pool.next(), { name: 'copyBlobs', request });
    expect(copies).toEqual(['copied', 'damaged', { errorCode: 'EBADF' }]);
    expect(readdirSync(directory)).toEqual(['made']);
  });
});

describe('threads', () => {
  it('that have not started yet do not spoil the end of the process', () => {
    const source = `import { prepareThreads } from '${new URL('worker-pool.ts', import.meta.url).href}';
      prepareThreads();
      setTimeout(() => process.exit(0), Number(process.argv.at(-1)));`;
    for (const afterMs of [0, 60, 100, 120, 140, 160]) {
      const { status, stderr } = spawnSync(process.execPath, [
        '--input-type=module',
        '-e',
        source,
        `${afterMs}`,
      ]);
      expect([status, stderr.toString()]).toEqual([0, '']);
    }
  });
});

describe('makeFile', () => {
  it('leaves nothing of a file that cannot get its name', () => {
    using opened = openTrustedDirectory(directory as ByteString);
    const name = 'n'.repeat(300) as ByteString;
    expect(() =>
      makeFile({ directory: opened.number, name, metadata }, bytes, { sparse: false, willSync: false }),
    ).toThrow('ENAMETOOLONG');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('leaves a file that is there with what it had until the new one is whole', () => {
    writeFileSync(join(directory, 'file'), 'before');
    using opened = openTrustedDirectory(directory as ByteString);
    const file = { directory: opened.number, name: 'file' as ByteString, metadata };
    expect(makeFile(file, bytes, { sparse: true, willSync: true })).toEqual([]);
    expect(readdirSync(directory)).toEqual(['file']);
  });
});
