import { describe, expect, it } from 'vitest';
import { type ArchiveNote, decodeArchiveNotes, encodeArchiveNotes } from './archived-backup.ts';

describe('the notes in the header of a download', () => {
  it('come as they are, but for long paths and many of them', () => {
    const notes: ArchiveNote[] = [
      { kind: 'not-importable', count: 3, paths: ['parts/größe\n🦊', 'b', 'c'] },
      { kind: 'left-out', count: 1, paths: ['🦊'.repeat(5000)] },
    ];
    const header = encodeArchiveNotes(notes);
    expect(header).toMatch(/^[\x20-\x7e]{1,8000}$/);
    expect(decodeArchiveNotes(header)).toEqual([
      { kind: 'not-importable', count: 3, paths: ['parts/größe\n🦊', 'b'] },
      { kind: 'left-out', count: 1, paths: ['🦊'.repeat(100)] },
    ]);
  });

  it('are none where the header is missing or is not of this protocol', () => {
    for (const header of [null, '', '%', 'x', '[{"kind":"other","count":1,"paths":[]}]']) {
      expect(decodeArchiveNotes(header), String(header)).toEqual([]);
    }
  });
});
