import type { SealedPart } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { sealedPart } from '../../../testing/fixtures.ts';
import { comparedWith, type DoubtRequest, doubtOf } from './doubt-of.ts';

function part(name: string, bytes: number, component = 'web'): SealedPart {
  return { ...sealedPart(name, bytes), mountPoints: [{ component, path: `/${name}`, readOnly: false }] };
}

function doubt(before: readonly SealedPart[], now: readonly SealedPart[], more: Partial<DoubtRequest> = {}) {
  return doubtOf({
    before: { components: ['web', 'db'], parts: before },
    taken: { components: ['web', 'db'], parts: now },
    components: null,
    leftOut: new Set<string>(),
    allowEmpty: false,
    ...more,
  });
}

describe('a backup is doubtful', () => {
  test('where a source has lost more than nine tenths of its bytes, and not where it has lost nine', () => {
    expect(doubt([part('uploads', 1000)], [part('uploads', 100)])).toBeNull();
    expect(doubt([part('uploads', 1000)], [part('uploads', 99)])).toBe('uploads has 99 bytes, and had 1000.');
    expect(doubt([part('uploads', 0)], [part('uploads', 0)])).toBeNull();
  });

  test('where a source is not there any more', () => {
    const before = [part('uploads', 1000), part('database', 50, 'db')];
    expect(doubt(before, [part('uploads', 1000)])).toBe('database is not there any more.');
  });

  test('not where another source is mounted where it was, unless that has much less', () => {
    const moved = (bytes: number) => ({
      ...part('elsewhere', bytes),
      mountPoints: part('uploads', 1).mountPoints,
    });
    expect(doubt([part('uploads', 1000)], [moved(1000)])).toBeNull();
    expect(doubt([part('uploads', 1000)], [moved(9)])).toBe('uploads has 9 bytes, and had 1000.');
    const other = { ...moved(1000), mountPoints: part('uploads', 1, 'db').mountPoints };
    expect(doubt([part('uploads', 1000)], [other])).toBe('uploads is not there any more.');
  });

  test('not for what somebody left out, or what is backed up in another way now', () => {
    expect(doubt([part('uploads', 1000)], [], { leftOut: new Set(['uploads']) })).toBeNull();
    const source = { kind: 'command' as const, component: 'db', fileName: 'dump' };
    const dump = { ...part('db.dump', 1000, 'db'), source, mountPoints: [] } as unknown as SealedPart;
    expect(doubt([dump], [part('database', 10, 'db')])).toBeNull();
    expect(doubt([dump], [part('uploads', 10)])).toBe('db.dump is not there any more.');
  });

  test('not for what nobody asked for', () => {
    const before = [part('uploads', 1000), part('database', 50, 'db')];
    expect(doubt(before, [part('uploads', 1000)], { components: ['web'] })).toBeNull();
    expect(doubt(before, [part('database', 50, 'db')], { components: ['db'] })).toBeNull();
    expect(doubt(before, [], { components: ['db'] })).toBe('database is not there any more.');
  });

  test('not for an empty source that was said to be empty', () => {
    expect(doubt([part('uploads', 1000)], [part('uploads', 0)], { allowEmpty: true })).toBeNull();
    expect(doubt([part('uploads', 1000)], [part('uploads', 1)], { allowEmpty: true })).not.toBeNull();
  });

  test('neither for code nor for images', () => {
    const source = { kind: 'image' as const, components: ['web'], id: 'sha256:1', tags: [] };
    const image = { ...part('image', 1000), source } as unknown as SealedPart;
    expect(doubt([image], [])).toBeNull();
  });

  test('never where there is nothing to compare with', () => {
    expect(doubt([], [part('uploads', 1)], { before: undefined })).toBeNull();
  });
});

describe('it is compared with', () => {
  const all = (components: readonly string[], ...good: string[][]) =>
    comparedWith(
      components,
      good.map((each) => ({ components: each })),
    )?.components;

  test('the newest that has all of its components', () => {
    expect(all(['web', 'db'], ['db'], ['web', 'db', 'cache'], ['web', 'db'])).toEqual(['web', 'db', 'cache']);
    expect(all(['db'], ['db'], ['web', 'db'])).toEqual(['db']);
  });

  test('the newest of those with the most, where it has a new one', () => {
    expect(all(['web', 'db', 'new'], ['db'], ['web', 'db'], ['web'])).toEqual(['web', 'db']);
    expect(all(['web'])).toBeUndefined();
  });
});
