import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFirstEntry } from './tar-entry.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hftest-tar-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tar(format: string, name: string): Buffer {
  return execFileSync('tar', ['-C', folder, `--format=${format}`, '-c', name]);
}

async function read(archive: Buffer, { pieceBytes = 1000, maxBytes = 10_000 } = {}) {
  const pieces: Buffer[] = [];
  for (let at = 0; at < archive.length; at += pieceBytes) pieces.push(archive.subarray(at, at + pieceBytes));
  return readFirstEntry(Readable.from(pieces), { maxBytes });
}

test.each(['ustar', 'gnu', 'pax'])('reads a file of a %s archive, however it is cut', async (format) => {
  const name = format === 'ustar' ? 'short' : 'l'.repeat(200);
  writeFileSync(join(folder, name), 'content\n', { mode: 0o640 });
  for (const pieceBytes of [1, 7, 512, 100_000]) {
    const entry = await read(tar(format, name), { pieceBytes });
    expect(entry).toEqual({ outcome: 'file', content: Buffer.from('content\n'), mode: 0o640 });
  }
});

test('tells what is no file, too large, or cut off', async () => {
  writeFileSync(join(folder, 'big'), Buffer.alloc(20_000));
  symlinkSync('big', join(folder, 'link'));
  expect(await read(tar('gnu', '.'))).toEqual({ outcome: 'not-a-file' });
  expect(await read(tar('gnu', 'link'))).toEqual({ outcome: 'not-a-file' });
  expect(await read(tar('gnu', 'big'))).toEqual({ outcome: 'too-large' });
  const whole = tar('gnu', 'big');
  expect(await read(whole.subarray(0, 10_000), { maxBytes: 30_000 })).toEqual({ outcome: 'damaged' });
  expect(await read(Buffer.alloc(1024))).toEqual({ outcome: 'damaged' });
});

test('garbage is damage, never a throw', async () => {
  writeFileSync(join(folder, 'seed'), 'x');
  const seed = tar('pax', 'seed');
  const flips = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.integer({ min: 0, max: 255 })), {
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(flips, fc.nat(seed.length), async (changes, length) => {
      const archive = Buffer.from(seed);
      for (const [at, byte] of changes) archive[at] = byte;
      const entry = await read(archive.subarray(0, length));
      expect(['file', 'not-a-file', 'too-large', 'damaged']).toContain(entry.outcome);
    }),
  );
});
