import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  backupSources,
  lockRepository,
  openAtLocation,
  type Repository,
  type SnapshotRecord,
  utcTimestamp,
} from '@holdfast/engine';
import { type FoundBackup, type Manifest, manifestSchema, snapshotTags } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { StartedMover } from './testing/started-mover.ts';
import { ownPassword, recoveryPassword, type TestPlace, testPlace } from './testing/task-specs.ts';

/** Each run of a mover derives keys from passwords, which is slow by design. */
const signal = new AbortController().signal;

async function backup(place: TestPlace, ...names: readonly string[]): Promise<Manifest> {
  const parts = names.map((name) => {
    const path = join(place.folder, name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'file'), name);
    return { name, path };
  });
  const mover = new StartedMover(place.backup(parts));
  expect(await mover.runThrough()).toMatchObject({ outcome: 'done', error: null });
  return manifestSchema.parse((await mover.sees('committed')).manifest);
}

async function rebuild(place: TestPlace, newPassword: string) {
  const mover = new StartedMover(place.rebuild(newPassword));
  const { outcome, warnings, error } = await mover.runThrough();
  const found = mover.events.flatMap((event): FoundBackup[] =>
    event.type === 'backup' ? [event.backup] : [],
  );
  return { outcome, warnings, error, found };
}

async function open(place: TestPlace, password = recoveryPassword): Promise<Repository> {
  return await openAtLocation({ location: place.repository, password }, { signal });
}

/** Writes a file as `manifest.json` of a snapshot of its own. */
async function saveAsManifest(
  place: TestPlace,
  text: string,
  { tags, atMs }: { readonly tags: SnapshotRecord['tags']; readonly atMs: number },
): Promise<void> {
  const path = join(place.folder, 'manifest.json');
  writeFileSync(path, text);
  await using locked = await lockRepository(await open(place), { signal });
  const { repository } = locked;
  const writer = await repository.openWriter(locked);
  const { treeId } = await backupSources({
    writer,
    blobs: repository.blobs,
    polynomial: repository.polynomial,
    sources: [{ path, treePath: ['manifest.json'] }],
    signal,
  });
  await writer.flush({ signal });
  await repository.snapshots.save(
    {
      time: utcTimestamp(atMs),
      tree: treeId,
      paths: [],
      hostname: 'here',
      username: '',
      uid: 0,
      gid: 0,
      excludes: [],
      tags,
      programVersion: 'test',
    },
    locked,
  );
}

test('every backup is told as it was committed, and the new password becomes a key, once', async () => {
  await using place = await testPlace();
  const first = await backup(place, 'uploads', 'ledger');
  const second = await backup(place, 'uploads');

  const { outcome, warnings, found } = await rebuild(place, 'a new password');
  expect({ outcome, warnings }).toEqual({ outcome: 'done', warnings: [] });
  expect(found.map(({ manifest }) => manifest)).toEqual([first, second]);
  expect(found.flatMap(({ missingParts }) => missingParts)).toEqual([]);
  const { snapshots } = await (await open(place, 'a new password')).snapshots.list({
    tags: [snapshotTags.manifest],
  });
  expect(found.map(({ manifestSnapshotId }) => manifestSnapshotId)).toEqual(snapshots.map(({ id }) => id));

  const keys = readdirSync(join(place.repository, 'keys'));
  expect(keys).toHaveLength(3);
  await rebuild(place, 'a new password');
  await rebuild(place, ownPassword);
  expect(readdirSync(join(place.repository, 'keys'))).toEqual(keys);
});

test('the highest revision of a backup counts, whenever it was written', async () => {
  await using place = await testPlace();
  const manifest = await backup(place, 'uploads');
  const tags = [snapshotTags.manifest, snapshotTags.ofBackup(manifest.backupId)];
  const revision = (number: number) =>
    JSON.stringify({ ...manifest, revision: number, description: `revision ${number}` });
  await saveAsManifest(place, revision(3), { tags, atMs: manifest.finishedAtMs + 1000 });
  await saveAsManifest(place, revision(2), { tags, atMs: manifest.finishedAtMs + 2000 });
  const { found } = await rebuild(place, ownPassword);
  expect(found.map(({ manifest: { description } }) => description)).toEqual(['revision 3']);
});

test('a part that the repository has lost is named; the others are not', async () => {
  await using place = await testPlace();
  const { parts } = await backup(place, 'uploads', 'ledger');
  rmSync(join(place.repository, 'snapshots', parts[1]?.snapshotId ?? ''));
  const { outcome, found } = await rebuild(place, ownPassword);
  expect(outcome).toBe('done');
  expect(found.map(({ missingParts }) => missingParts)).toEqual([['ledger']]);
});

test('what is no manifest, or cannot be read, is a warning and keeps no backup from being told', async () => {
  await using place = await testPlace();
  const manifest = await backup(place, 'uploads');
  const other = 'bak_0123456789abcdef';
  const tagsOf = (id: string) => [snapshotTags.manifest, snapshotTags.ofBackup(id)];
  await saveAsManifest(place, '{"version": 2}', { tags: tagsOf(other), atMs: 1 });
  await saveAsManifest(place, 'no JSON', { tags: tagsOf(manifest.backupId), atMs: 2 });
  await saveAsManifest(place, JSON.stringify(manifest), { tags: tagsOf(other), atMs: 3 });
  writeFileSync(join(place.repository, 'snapshots', 'a'.repeat(64)), 'garbage');

  const { outcome, warnings, found } = await rebuild(place, ownPassword);
  expect(outcome).toBe('warnings');
  expect(found.map((each) => each.manifest)).toEqual([manifest]);
  expect(warnings).toHaveLength(4);
  expect(warnings[0]).toContain('a'.repeat(64));
  expect(warnings.join('\n')).toContain('its tags say otherwise');
});

test('a wrong key tells nothing and changes nothing', async () => {
  await using place = await testPlace();
  await backup(place, 'uploads');
  const keys = readdirSync(join(place.repository, 'keys'));
  const task = place.rebuild('a new password');
  const mover = new StartedMover({ ...task, repository: { ...task.repository, password: 'wrong' } });
  expect(await mover.runThrough()).toMatchObject({ outcome: 'failed', error: { code: 'password-wrong' } });
  expect(mover.events.some(({ type }) => type === 'backup')).toBe(false);
  expect(readdirSync(join(place.repository, 'keys'))).toEqual(keys);
});

test('nothing is written before `commit`: a mover whose server is gone leaves the repository as it was', async () => {
  await using place = await testPlace();
  await backup(place, 'uploads');
  const keys = readdirSync(join(place.repository, 'keys'));
  const mover = new StartedMover(place.rebuild('a new password'));
  mover.send({ type: 'go' });
  await mover.sees('sealed');
  await delay(100);
  expect(readdirSync(join(place.repository, 'keys'))).toEqual(keys);
  mover.closeInput();
  expect(await mover.sees('result')).toMatchObject({ outcome: 'failed', error: { code: 'server-lost' } });
  await mover.exited;
  expect(readdirSync(join(place.repository, 'keys'))).toEqual(keys);
  expect(readdirSync(join(place.repository, 'locks'))).toEqual([]);
});
