import { asId, type Snapshot, type SnapshotId, type TreeId, utcTimestamp } from '@holdfast/engine';
import { expect, it } from 'vitest';
import { isSelected, type SnapshotSelection } from './snapshot-selection.ts';

const snapshot: Snapshot = {
  id: asId<SnapshotId>('a'.repeat(64)),
  time: utcTimestamp(0),
  tree: asId<TreeId>('b'.repeat(64)),
  paths: ['/etc', '/home'],
  hostname: 'one',
  username: 'root',
  uid: 0,
  gid: 0,
  excludes: [],
  tags: ['x', 'y'],
};

it.each<[SnapshotSelection, boolean]>([
  [{}, true],
  [{ host: ['two', 'one'] }, true],
  [{ host: ['two'] }, false],
  [{ tag: ['x'] }, true],
  [{ tag: ['y,x'] }, true],
  [{ tag: ['x,z'] }, false],
  [{ tag: ['x,z', 'y'] }, true],
  [{ tag: [''] }, false],
  [{ path: ['/etc'] }, true],
  [{ path: ['/etc/', '/home'] }, true],
  [{ path: ['/etc', '/srv'] }, false],
  [{ host: ['one'], tag: ['z'] }, false],
])('%j selects it: %s', (selection, expected) => {
  expect(isSelected(snapshot, selection)).toBe(expected);
});

it('an empty list of tags stands for snapshots without any', () => {
  expect(isSelected({ ...snapshot, tags: [] }, { tag: [''] })).toBe(true);
});
