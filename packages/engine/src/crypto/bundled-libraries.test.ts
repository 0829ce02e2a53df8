import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NativeMemory } from '../filesystem/native-memory.ts';
import { bundledLibraries } from './bundled-libraries.ts';
import { createCounterMode } from './counter-mode.ts';
import { createOneTimeMac, type OneTimeMac } from './one-time-mac.ts';
import { createZstdCodec, frameBoundBytes } from './zstd.ts';

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20_000 }),
  fc.nat(300_000).map((length) => new Uint8Array(Buffer.alloc(length, 'so much of the same '))),
);

it('are exported by the Node that Holdfast runs on', () => {
  expect(bundledLibraries()).toBeDefined();
});

describe.each([
  ['through the bundled libraries', bundledLibraries()],
  ['through Node’s own modules', undefined],
])('%s', (_, libraries) => {
  const zstd = libraries === undefined ? createZstdCodec(null) : createZstdCodec(libraries);

  it('zstd gives back what was compressed, and takes what the other made', () => {
    const other = libraries === undefined ? createZstdCodec() : createZstdCodec(null);
    fc.assert(
      fc.property(bytes, (plaintext) => {
        const frame = new Uint8Array(frameBoundBytes(plaintext.length));
        const length = zstd.compress(plaintext, frame);
        for (const codec of [zstd, other]) {
          const opened = new Uint8Array(plaintext.length);
          expect(codec.decompress(frame.subarray(0, length), opened)).toBe(plaintext.length);
          expect(Buffer.compare(opened, plaintext)).toBe(0);
        }
      }),
    );
  });

  it('zstd looks for shorter matches after a frame that was repetitive, and no longer after another', () => {
    const words = Array.from({ length: 50 }, () => randomBytes(5));
    const text = Array.from({ length: 4000 }, (_, at) => words[(at * at) % 50] ?? Buffer.alloc(0));
    const repetitive = Buffer.concat([
      Buffer.alloc(200_000),
      ...text.flatMap((word) => [word, randomBytes(1)]),
    ]);
    const codec = libraries === undefined ? createZstdCodec(null) : createZstdCodec(libraries);
    const compressedLength = (plaintext: Uint8Array): number =>
      codec.compress(plaintext, new Uint8Array(frameBoundBytes(plaintext.length)));
    const first = compressedLength(repetitive);
    expect(first).toBeLessThan(repetitive.length / 4);
    expect(compressedLength(repetitive)).toBeLessThan(first);
    compressedLength(randomBytes(10_000));
    expect(compressedLength(repetitive)).toBe(first);
  });

  it('zstd says what does not fit, is cut off or is no frame', () => {
    const plaintext = Buffer.alloc(100_000, 'a plaintext ');
    const frame = new Uint8Array(frameBoundBytes(plaintext.length));
    const length = zstd.compress(plaintext, frame);
    expect(zstd.compress(plaintext, new Uint8Array(10))).toBe(-1);
    expect(zstd.decompress(frame.subarray(0, length), new Uint8Array(plaintext.length - 1))).toBe(-1);
    expect(zstd.decompress(frame.subarray(0, length - 1), new Uint8Array(plaintext.length))).toBe(-1);
    expect(zstd.decompress(randomBytes(50), new Uint8Array(1000))).toBe(-1);
  });

  it('Poly1305 of a row of messages is that of each', () => {
    const mac = createOneTimeMac(libraries ?? null);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 20_000 }),
        fc.integer({ min: 1, max: 5000 }),
        (row, messageBytes) => {
          const [memory, key, tags] = [
            new NativeMemory(row.length),
            new NativeMemory(32),
            new NativeMemory(16 * (row.length + 1)),
          ];
          memory.bytes.set(row);
          key.bytes.set(randomBytes(32));
          mac.computeEach({ memory, lengthBytes: row.length, messageBytes }, key, tags);
          const count = Math.ceil(row.length / messageBytes);
          for (let index = 0; index < count; index += 1) {
            const tag = Buffer.alloc(16);
            mac.compute(row.subarray(index * messageBytes, (index + 1) * messageBytes), key.bytes, tag);
            expect(tags.bytes.subarray(16 * index, 16 * (index + 1))).toEqual(tag);
          }
          expect(tags.bytes.subarray(16 * count)).toEqual(Buffer.alloc(tags.bytes.length - 16 * count));
        },
      ),
    );
  });

  it('Poly1305 is that of RFC 8439, and of the other', () => {
    const mine = createOneTimeMac(libraries ?? null);
    const other = createOneTimeMac(libraries === undefined ? bundledLibraries() : null);
    const tagBy = (mac: OneTimeMac, message: Uint8Array, key: Uint8Array): string => {
      const tag = Buffer.alloc(16);
      mac.compute(message, key, tag);
      return tag.toString('hex');
    };
    const key = Buffer.from('85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b', 'hex');
    const message = Buffer.from('Cryptographic Forum Research Group');
    expect(tagBy(mine, message, key)).toBe('a8061dc1305136c6c22b8baf0c0127a9');
    fc.assert(
      fc.property(bytes, fc.uint8Array({ minLength: 32, maxLength: 32 }), (someMessage, someKey) => {
        expect(tagBy(mine, someMessage, someKey)).toBe(tagBy(other, someMessage, someKey));
      }),
    );
  });

  it('AES-256-CTR is that of the other', () => {
    const key = randomBytes(32);
    const mine = createCounterMode(key, libraries ?? null);
    const other = createCounterMode(key, libraries === undefined ? bundledLibraries() : null);
    fc.assert(
      fc.property(bytes, fc.uint8Array({ minLength: 16, maxLength: 16 }), (plaintext, nonce) => {
        const encrypted = new Uint8Array(plaintext.length);
        const opened = new Uint8Array(plaintext.length);
        mine.apply(nonce, plaintext, encrypted);
        other.apply(nonce, encrypted, opened);
        expect(Buffer.compare(opened, plaintext)).toBe(0);
      }),
    );
  });
});
