import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BackupId, isJobOver, type Job, type JobId, snapshotTags } from '@holdfast/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeProject, volumeFolder } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { MessageReceiver } from './support/message-receiver.ts';
import { eventually } from './support/process.ts';
import { checkWithRestic, type ResticRepository, restic } from './support/restic.ts';

/** What looks after repositories, from outside: deleting, pruning, what somebody removed from a vault, pins. */

const environment = 'maintenance';
let holdfast: Holdfast;
let project: ComposeProject;
let files: string;

beforeAll(async () => {
  holdfast = await Holdfast.start();
  project = await ComposeProject.up('small', environment);
  files = await volumeFolder(`${environment}_files`);
  // It would change its other volume all the time: what was lost of that cannot be stored again.
  await project.compose('stop', 'app');
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await holdfast?.[Symbol.asyncDispose]();
});

/** With a file that no other backup has, and some that all have. */
async function backupOf(name: string): Promise<BackupId> {
  for (const each of readdirSync(files)) if (each !== 'common') rmSync(join(files, each));
  mkdirSync(join(files, 'common'), { recursive: true });
  writeFileSync(join(files, 'common', 'same'), 'the same in all\n'.repeat(1000));
  writeFileSync(join(files, name), randomBytes(400_000));
  return (await holdfast.createBackup(environment, '--live')) as BackupId;
}

async function repository(id: string): Promise<ResticRepository> {
  const { repository: location, passwordFile } = await holdfast.getBackup(id);
  return { repository: location, passwordFile };
}

function packsOf({ repository: location }: ResticRepository) {
  return readdirSync(join(location, 'data'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, bytes: statSync(path).size }));
}

function sizeOf(place: ResticRepository): number {
  return packsOf(place).reduce((sum, { bytes }) => sum + bytes, 0);
}

async function jobsOf(kind: Job['kind']): Promise<readonly Job[]> {
  const { jobs } = await holdfast.client().call('job.list', { query: { environment } });
  return jobs.filter((job) => job.kind === kind);
}

/** Nothing is queued or running. */
async function settled(): Promise<void> {
  await eventually('every job is over', async () => {
    const { jobs } = await holdfast.client().call('job.list', { query: { environment } });
    return jobs.every(({ state }) => isJobOver(state));
  });
}

async function over(id: JobId): Promise<Job> {
  return await eventually(`job ${id} is over`, async () => {
    const job = await holdfast.client().call('job.get', { params: { job: id } });
    return isJobOver(job.state) && job;
  });
}

async function statuses(): Promise<Readonly<Record<string, string>>> {
  const { backups } = await holdfast.client().call('backup.list', { query: { environment } });
  return Object.fromEntries(backups.map(({ id, status }) => [id, status]));
}

async function snapshotTagsOf(place: ResticRepository): Promise<readonly (readonly string[])[]> {
  const snapshots = JSON.parse(await restic(place, ['snapshots', '--json', '--no-lock']));
  return (snapshots as { readonly tags: string[] }[]).map(({ tags }) => tags);
}

async function tryVaultCheck() {
  const { status, stdout } = await holdfast.run(['vault:check', '--format', 'json']);
  const [checked] = JSON.parse(stdout) as { readonly damaged: { readonly id: string }[] }[];
  return { status, damaged: checked?.damaged.map(({ id }) => id) };
}

describe('an environment whose backups are looked after', () => {
  it('deletes several in one job, and what they needed goes soon', async () => {
    const [first, second, third] = [await backupOf('a'), await backupOf('b'), await backupOf('c')];
    const place = await repository(third);
    const before = sizeOf(place);
    await holdfast.mustRun(['backup:delete', first, second, '--yes']);
    await settled();
    expect(await jobsOf('delete')).toHaveLength(1);
    expect(await jobsOf('prune')).toMatchObject([{ state: 'done' }]);
    expect(before - sizeOf(place)).toBeGreaterThan(750_000);
    expect(await statuses()).toEqual({ [third]: 'ready' });
    await checkWithRestic(place);
  });

  it('finds what somebody removed, marks exactly what lost it, and stores it again', async () => {
    const sound = await backupOf('d');
    const place = await repository(sound);
    const before = new Set(packsOf(place).map(({ path }) => path));
    const hit = await backupOf('e');
    const [largest] = packsOf(place)
      .filter(({ path }) => !before.has(path))
      .sort((a, b) => b.bytes - a.bytes);
    rmSync(largest?.path ?? '');
    await using receiver = await MessageReceiver.open();
    const words = ['--kind', 'webhook', '--url', receiver.url, '--allow-private', '--event', 'vault.damaged'];
    await holdfast.mustRun(['notification:add', 'ops', ...words]);

    const first = await tryVaultCheck();
    expect(first).toEqual({ status: 1, damaged: [hit] });
    // Found again, it is no news.
    expect(await tryVaultCheck()).toEqual(first);
    expect(await receiver.events()).toEqual(['vault.damaged of all']);
    await holdfast.mustRun(['notification:remove', 'ops']);
    expect((await statuses())[sound]).toBe('ready');
    const { error } = await holdfast.getBackup(hit);
    expect(error).toMatchObject({ code: 'blob-missing' });
    expect(error?.message).toContain(`${environment}_files (such as /e)`);

    // The same file is there still, so it is stored again: and with it the older backup is whole.
    const healing = (await holdfast.createBackup(environment, '--live')) as BackupId;
    expect(await tryVaultCheck()).toEqual({ status: 0, damaged: [] });
    expect(await statuses()).toMatchObject({ [hit]: 'ready', [healing]: 'ready' });
    await settled();
    await checkWithRestic(place);
  });

  it('a backup whose data is gone for good is deleted, and the repository is sound again', async () => {
    const sound = await backupOf('f');
    const place = await repository(sound);
    const before = new Set(packsOf(place).map(({ path }) => path));
    const hit = await backupOf('g');
    const [largest] = packsOf(place)
      .filter(({ path }) => !before.has(path))
      .sort((a, b) => b.bytes - a.bytes);
    rmSync(largest?.path ?? '');
    expect(await tryVaultCheck()).toEqual({ status: 1, damaged: [hit] });
    const next = await backupOf('h');
    expect(await tryVaultCheck()).toEqual({ status: 1, damaged: [hit] });
    await holdfast.mustRun(['backup:delete', hit, '--yes']);
    await settled();
    expect(await statuses()).toMatchObject({ [sound]: 'ready', [next]: 'ready' });
    await checkWithRestic(place);
    expect(await tryVaultCheck()).toEqual({ status: 0, damaged: [] });
  });

  it('pins what is to stay; the vault knows it too', async () => {
    const pinned = await backupOf('i');
    await holdfast.mustRun(['backup:pin', pinned, '--reason', 'before the move']);
    expect(await holdfast.getBackup(pinned)).toMatchObject({ pinReason: 'before the move' });
    const { manifestSnapshotId } = await holdfast.getBackup(pinned);
    const place = await repository(pinned);
    const text = await restic(place, ['dump', '--no-lock', manifestSnapshotId ?? '', '/manifest.json']);
    expect(JSON.parse(text)).toMatchObject({ revision: 2, pinReason: 'before the move' });

    const { stderr } = await holdfast.run(['backup:delete', '--all', '-e', environment, '--yes']);
    expect(stderr).toContain('Left alone, for they are pinned: 1 backup.');
    expect(await statuses()).toEqual({ [pinned]: 'ready' });
    const begun = await holdfast.run(['backup:delete', pinned.slice(0, -2), '--yes']);
    expect(begun).toMatchObject({ status: 6 });
    await holdfast.mustRun(['backup:unpin', pinned]);
    await settled();
    expect(await tryVaultCheck()).toEqual({ status: 0, damaged: [] });
    await checkWithRestic(place);
  });
});

describe.each(['mover', 'both'] as const)('SIGKILL of %s in the middle of deleting several', (victim) => {
  it('leaves each wholly there, wholly gone, or to be deleted again; no manifest lacks a part', async () => {
    const made: BackupId[] = [];
    for (let index = 0; index < 6; index += 1) made.push(await backupOf(`${victim}-${index}`));
    await settled();
    const place = await repository(made[0] ?? '');
    const snapshotsEach = (await holdfast.getBackup(made[0] ?? '')).parts.length + 1;
    const deadlineMs = performance.now() + 60_000;
    const { job } = await holdfast.client().call('backup.deleteSeveral', { body: { backups: made } });
    const pid = await eventually('its mover works', () => holdfast.moverPids()[0]);
    const folder = join(place.repository, 'snapshots');
    const before = readdirSync(folder).length;
    // Nothing is awaited meanwhile: all of it takes a fraction of a second.
    while (readdirSync(folder).length > before - snapshotsEach - 1) if (performance.now() > deadlineMs) break;
    process.kill(pid, 'SIGKILL');
    if (victim === 'both') await holdfast.killServer();
    if (victim === 'both') await holdfast.startServer();
    expect(await over(job.id)).toMatchObject({ state: 'failed' });
    await settled();

    const tags = await snapshotTagsOf(place);
    const left = await statuses();
    for (const id of made) {
      const ofIt = tags.filter((each) => each.includes(snapshotTags.ofBackup(id)));
      const hasManifest = ofIt.some((each) => each.includes(snapshotTags.manifest));
      if (hasManifest) expect(ofIt).toHaveLength(snapshotsEach);
      if (left[id] === 'ready') expect(hasManifest).toBe(true);
      if (left[id] === undefined) expect(ofIt).toEqual([]);
    }
    await checkWithRestic(place);
    const rest = made.filter((id) => left[id] !== undefined);
    expect(rest.length).toBeGreaterThan(0);
    expect(rest.length).toBeLessThan(made.length);
    await holdfast.mustRun(['backup:delete', ...rest, '--yes']);
    await settled();
    for (const id of made) expect((await statuses())[id]).toBeUndefined();
    await checkWithRestic(place);
  });
});
