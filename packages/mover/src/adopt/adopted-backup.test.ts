import { asId, type Snapshot, type SnapshotId, type TreeId, utcTimestamp } from '@holdfast/engine';
import { backupIdSchema, environmentIdSchema, snapshotTags } from '@holdfast/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { adoptedId, adoptedManifest, describeSnapshot, isStock } from './adopted-backup.ts';

const environment = {
  id: environmentIdSchema.parse(`env_${'0'.repeat(16)}`),
  name: 'laptop',
  type: 'production' as const,
  node: 'local',
  folder: null,
};
const hexId = fc.stringMatching(/^[0-9a-f]{64}$/);

function snapshotOf(id: string, changes: Partial<Snapshot> = {}): Snapshot {
  return {
    id: asId<SnapshotId>(id),
    time: utcTimestamp(1_700_000_000_000),
    tree: asId<TreeId>('1'.repeat(64)),
    paths: ['/home/me', '/etc'],
    hostname: 'laptop',
    username: 'me',
    uid: 1000,
    gid: 1000,
    excludes: [],
    tags: [],
    ...changes,
  };
}

test('a snapshot is one backup of an environment, whoever asks how often; another one is another', () => {
  fc.assert(
    fc.property(hexId, hexId, (one, other) => {
      const id = adoptedId({ environment }, snapshotOf(one));
      expect(backupIdSchema.safeParse(id).success).toBe(true);
      expect(adoptedId({ environment }, snapshotOf(one, { tags: ['later'] }))).toBe(id);
      expect(adoptedId({ environment }, snapshotOf(other)) === id).toBe(one === other);
      const elsewhere = {
        environment: { ...environment, id: environmentIdSchema.parse(`env_${'1'.repeat(16)}`) },
      };
      expect(adoptedId(elsewhere, snapshotOf(one))).not.toBe(id);
    }),
  );
});

test('ours are told from those of its owner by their tags', () => {
  const ofBackup = snapshotTags.ofBackup('bak_0123456789abcdef');
  const tagged = (...tags: readonly string[]) => isStock(snapshotOf('a'.repeat(64), { tags }));
  expect([tagged(), tagged('daily'), tagged('holdfast')]).toEqual([true, true, true]);
  expect([tagged(snapshotTags.part, ofBackup), tagged(snapshotTags.manifest), tagged(ofBackup)]).toEqual([
    false,
    false,
    false,
  ]);
});

test('it is described so that a person knows it again, in no more than a description may have', () => {
  const id = `0123abcd${'0'.repeat(56)}`;
  expect(describeSnapshot(snapshotOf(id, { tags: ['daily', 'small'] }))).toBe(
    'restic 0123abcd of laptop: /home/me, /etc (daily, small)',
  );
  const long = snapshotOf(id, { hostname: '', paths: Array.from({ length: 500 }, (_, at) => `/srv/${at}`) });
  expect(describeSnapshot(long)).toHaveLength(1000);
  expect(describeSnapshot(long)).toMatch(/^restic 0123abcd of an unknown host: .*…$/);
});

test('a clock that was far off when it was made is no hindrance', () => {
  const long = snapshotOf('a'.repeat(64), { time: utcTimestamp(-1_000_000) });
  const manifest = adoptedManifest({ environment, createdBy: 'me' }, long, { parts: [], nowMs: 5 });
  expect(manifest).toMatchObject({ createdAtMs: 0, finishedAtMs: 0, kind: 'imported', expiresAtMs: null });
});
