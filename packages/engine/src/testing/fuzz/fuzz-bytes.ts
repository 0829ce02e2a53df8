import fc from 'fast-check';

/** What has broken readers of JSON before: beyond all measure, nested, twice, of another type, names of prototypes. */
const jsonTokens: readonly string[] = [
  'null',
  'true',
  '""',
  '[]',
  '{}',
  '0',
  '-0',
  '-1',
  '1.5',
  '1e400',
  '4294967296',
  '9007199254740993',
  '18446744073709551616',
  '"__proto__"',
  '"constructor"',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"id":"a","id":"b"}',
  '"\\ud800"',
  '"\\u0000"',
  '"../../etc/passwd"',
  `"${'f'.repeat(64)}"`,
  `"${'x'.repeat(10_000)}"`,
  `[${'0,'.repeat(5_000)}0]`,
  '['.repeat(20_000),
  '{"a":'.repeat(20_000),
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  '"2026-02-30T25:61:61.999999999999+99:99"',
  '"-99999-01-01T00:00:00Z"',
];

const tokenPattern = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\[\]|\{\}/g;

/** Any bytes, and valid documents after a few changes: of bytes, of stretches, or of whole values of their JSON. */
export function fuzzBytes(samples: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const any = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  if (samples.length === 0) return any;
  const sample = fc.constantFrom(...samples);
  return fc.oneof(
    { arbitrary: any, weight: 1 },
    {
      arbitrary: fc.tuple(sample, fc.array(byteEdit, { minLength: 1, maxLength: 6 })).map(applyEdits),
      weight: 3,
    },
    {
      arbitrary: fc.tuple(sample, fc.array(tokenEdit, { minLength: 1, maxLength: 3 })).map(replaceTokens),
      weight: 3,
    },
  );
}

interface ByteEdit {
  readonly at: number;
  readonly removed: number;
  readonly inserted: Uint8Array;
}

const byteEdit: fc.Arbitrary<ByteEdit> = fc.record({
  at: fc.nat(),
  removed: fc.oneof(fc.constantFrom(0, 1), fc.nat(100), fc.constant(Number.MAX_SAFE_INTEGER)),
  inserted: fc.oneof(
    fc.uint8Array({ maxLength: 5 }),
    fc.constantFrom(
      ...['"', '\\', '{', '}', '[', ']', ',', ':', '\0', '\xff'].map((text) => Buffer.from(text, 'latin1')),
    ),
  ),
});

function applyEdits([sample, edits]: [Buffer, readonly ByteEdit[]]): Buffer {
  let bytes = sample;
  for (const { at, removed, inserted } of edits) {
    const from = at % (bytes.length + 1);
    bytes = Buffer.concat([
      bytes.subarray(0, from),
      inserted,
      bytes.subarray(Math.min(bytes.length, from + removed)),
    ]);
  }
  return bytes;
}

interface TokenEdit {
  readonly number: number;
  readonly token: string;
  /** Beside the old one, so that an object gets a key twice or an array another item. */
  readonly isAdded: boolean;
}

const tokenEdit: fc.Arbitrary<TokenEdit> = fc.record({
  number: fc.nat(),
  token: fc.oneof(fc.constantFrom(...jsonTokens), fc.json({ maxDepth: 3 })),
  isAdded: fc.boolean(),
});

function replaceTokens([sample, edits]: [Buffer, readonly TokenEdit[]]): Buffer {
  let text = sample.toString('latin1');
  for (const { number, token, isAdded } of edits) {
    const tokens = [...text.matchAll(tokenPattern)];
    const found = tokens[number % Math.max(1, tokens.length)];
    if (found === undefined) break;
    const end = found.index + found[0].length;
    text = `${text.slice(0, found.index)}${isAdded ? `${found[0]},` : ''}${token}${text.slice(end)}`;
  }
  return Buffer.from(text, 'latin1');
}
