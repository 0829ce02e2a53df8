import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { HoldfastError } from './holdfast-error.ts';
import { wholeLines } from './whole-lines.ts';

const tooLong = () => new HoldfastError('usage-invalid', 'A line is too long.');

it('a line may come in pieces, but not without an end', async () => {
  const input = new PassThrough();
  const lines = wholeLines(input, { maxLineBytes: 10, tooLong });
  for (const piece of ['on', 'e\ntw', 'o\n']) input.write(piece);
  expect((await lines.next()).value).toBe('one');
  expect((await lines.next()).value).toBe('two');
  input.write('far too long');
  await expect(lines.next()).rejects.toMatchObject({ code: 'usage-invalid' });
});

it('a last line that was cut off is dropped', async () => {
  const lines: string[] = [];
  const input = new PassThrough().end('one\ntw');
  for await (const line of wholeLines(input, { maxLineBytes: 10, tooLong })) lines.push(line);
  expect(lines).toEqual(['one']);
});
