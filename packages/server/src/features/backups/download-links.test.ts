import { randomBytes } from 'node:crypto';
import type { BackupId } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { createSealer } from '../../secrets/sealer.ts';
import { createManualClock } from '../../testing/manual-clock.ts';
import { createDownloadLinks } from './download-links.ts';

const linked = { backupId: 'bak_0123456789abcdef' as BackupId, download: { part: 'x', path: 'a/b' } };

function linkIn({ path }: { readonly path: string }): string {
  return path.split('/').at(-1) ?? '';
}

test('a link opens as what it was made of, until it is too old', () => {
  const clock = createManualClock();
  const links = createDownloadLinks(createSealer(randomBytes(32)), clock);
  const link = linkIn(links.make(linked, 1000));
  clock.advance(1000);
  expect(links.open(link)).toEqual(linked);
  clock.advance(1);
  expect(() => links.open(link)).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
});

test('nothing else opens: a changed link, that of another server, another sealed secret, or any text', () => {
  const clock = createManualClock();
  const sealer = createSealer(randomBytes(32));
  const links = createDownloadLinks(sealer, clock);
  const link = linkIn(links.make(linked, 1000));
  const others = [
    link.slice(0, -4),
    `${link}AAAA`,
    linkIn(createDownloadLinks(createSealer(randomBytes(32)), clock).make(linked, 1000)),
    sealer.seal(JSON.stringify({ ...linked, expiresAtMs: clock.now() + 1000 }), 'rep_0123456789abcdef'),
    '',
    '..%2f',
  ];
  for (const other of others) {
    expect(() => links.open(other)).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
  }
});
