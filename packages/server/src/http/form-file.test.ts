import { describe, expect, it } from 'vitest';
import { fileOfForm } from './form-file.ts';

const boundary = '--x';

async function* inPieces(text: string, bytes: number): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text, 'latin1');
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

function form(...parts: readonly (readonly [headers: string, content: string])[]): string {
  const written = parts.map(([headers, content]) => `--${boundary}\r\n${headers}\r\n\r\n${content}\r\n`);
  return `${written.join('')}--${boundary}--\r\n`;
}

async function read(text: string, bytes = 7): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of fileOfForm(inPieces(text, bytes), boundary)) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

const field = ['Content-Disposition: form-data; name="note"', 'filename=no'] as const;
const fileHeaders = 'Content-Disposition: form-data; name="file"; filename="a.tar"\r\nContent-Type: x/y';

describe('the file of a form', () => {
  it.each([1, 2, 3, 7, 1000])('comes as it is, in pieces of %d', async (bytes) => {
    const content = `\r\n--${boundary.slice(0, 2)}\r\n\r\n--not\r\n\0ÿ`;
    expect(await read(form(field, [fileHeaders, content]), bytes)).toBe(content);
  });

  it('may be empty', async () => {
    expect(await read(form([fileHeaders, '']))).toBe('');
  });

  it.each([
    ['no file', form(field)],
    ['nothing', ''],
    ['no end', form([fileHeaders, 'content']).slice(0, -12)],
    ['no end of the headers', `--${boundary}\r\n${'x: y\r\n'.repeat(5000)}`],
  ])('is refused with %s', async (_, text) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'usage-invalid' });
  });
});
