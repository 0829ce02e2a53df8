import { Readable } from 'node:stream';
import { HoldfastError } from '@holdfast/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonObjects } from './json-stream.ts';

async function read(chunks: readonly Buffer[]): Promise<unknown[]> {
  return Array.fromAsync(jsonObjects(Readable.from(chunks)));
}

function cut(text: string, pieceBytes: number): Buffer[] {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  return pieces;
}

test('finds the same objects in lines and in an array, however the stream is cut', async () => {
  const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 6 });
  const size = fc.integer({ min: 1, max: 40 });
  await fc.assert(
    fc.asyncProperty(objects, size, async (values, pieceBytes) => {
      const expected = JSON.parse(JSON.stringify(values));
      const lines = values.map((value) => `${JSON.stringify(value)}\n`).join('');
      expect(await read(cut(lines, pieceBytes))).toEqual(expected);
      expect(await read(cut(JSON.stringify(values), pieceBytes))).toEqual(expected);
    }),
  );
});

test('garbage gives nothing or a coded error', async () => {
  const chunks = fc.array(fc.oneof(fc.uint8Array(), fc.constantFrom('{', '}', '"', '\\', '[]', 'null')));
  await fc.assert(
    fc.asyncProperty(chunks, async (pieces) => {
      try {
        await read(pieces.map((piece) => Buffer.from(piece)));
      } catch (error) {
        expect(error).toBeInstanceOf(HoldfastError);
      }
    }),
  );
});

test('does not hold an object without end', async () => {
  async function* endless() {
    yield Buffer.from('{"a":"');
    for (;;) yield Buffer.alloc(65_536, 0x61);
  }
  await expect(Array.fromAsync(jsonObjects(endless()))).rejects.toMatchObject({ code: 'docker-refused' });
});
