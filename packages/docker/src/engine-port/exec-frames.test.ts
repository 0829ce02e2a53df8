import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyFrames } from './exec-frames.ts';

const { signal } = new AbortController();

function frame(stream: number, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

async function copy(bytes: Buffer, pieceBytes: number): Promise<{ stdout: Buffer; stderr: Buffer }> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  const outputs = { stdout: new PassThrough(), stderr: new PassThrough() };
  const reading = Promise.all([buffer(outputs.stdout), buffer(outputs.stderr)]);
  await copyFrames(Readable.from(pieces), outputs, { signal });
  outputs.stdout.end();
  outputs.stderr.end();
  const [stdout, stderr] = await reading;
  return { stdout, stderr };
}

test('parts the streams, however the source is cut', async () => {
  const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 50 })), {
    maxLength: 10,
  });
  await fc.assert(
    fc.asyncProperty(frames, fc.integer({ min: 1, max: 30 }), async (list, pieceBytes) => {
      const copied = await copy(
        Buffer.concat(list.map(([stream, bytes]) => frame(stream, bytes))),
        pieceBytes,
      );
      const of = (wanted: number) => list.filter(([stream]) => stream === wanted).map(([, bytes]) => bytes);
      expect(copied.stdout).toEqual(Buffer.concat(of(1)));
      expect(copied.stderr).toEqual(Buffer.concat(of(2)));
    }),
  );
});

test('a source that ends within a frame, or names another stream, is damage', async () => {
  const damage = { code: 'docker-refused' };
  await expect(copy(frame(1, Buffer.from('abc')).subarray(0, 9), 4)).rejects.toMatchObject(damage);
  await expect(copy(frame(1, Buffer.from('abc')).subarray(0, 5), 4)).rejects.toMatchObject(damage);
  await expect(copy(frame(9, Buffer.from('abc')), 4)).rejects.toMatchObject(damage);
});
