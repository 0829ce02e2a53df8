import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposeProject, volumeFolder } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { restic } from './support/restic.ts';

/** Deleting an environment and a component from outside. How the grace ends, `deletions.integration.test.ts` sees by a clock of its own. */

const environment = 'deleteme';
let holdfast: Holdfast;
let project: ComposeProject;

beforeAll(async () => {
  holdfast = await Holdfast.start();
  project = await ComposeProject.up('small', environment);
  await project.compose('stop', 'app');
  writeFileSync(join(await volumeFolder(`${environment}_files`), 'file'), randomBytes(10_000));
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await holdfast?.[Symbol.asyncDispose]();
});

async function shown() {
  const { environments } = await holdfast.client().call('environment.list', {});
  return environments.find(({ name }) => name === environment);
}

async function statusOf() {
  const { environments, problems } = await holdfast.client().call('status.get', {});
  const found = environments.find(({ name }) => name === environment);
  return { deletion: found?.deletion, problems: problems.filter(({ subject }) => subject === environment) };
}

it('is followed no more once it was deleted, keeps all for 7 days, and comes back', async () => {
  const backup = await holdfast.createBackup(environment, '--live');
  const asked = await holdfast.run(['environment:delete', environment]);
  expect(asked.status).toBe(2);
  expect(asked.stderr).toContain(`holdfast backup:download ${backup}`);
  expect(asked.stderr).toContain('error[confirmation-needed]');
  expect(await shown()).toMatchObject({ deletion: null });

  const { status, stderr } = await holdfast.run(['environment:delete', environment, '--yes']);
  expect(status).toBe(0);
  expect(stderr).toContain(`Deleted ${environment}. Until `);
  expect(await shown()).toMatchObject({ state: 'active', deletion: { untilMs: expect.any(Number) } });
  expect(await statusOf()).toMatchObject({ deletion: { atMs: expect.any(Number) }, problems: [] });
  expect(await holdfast.mustRun(['environment:get', environment])).toContain('its backups go after');

  const refused = await holdfast.run(['backup:create', environment]);
  expect(refused.status).toBe(6);
  expect(refused.stderr).toContain('error[environment-deleted]');
  expect(refused.stderr).toContain(`holdfast environment:undelete ${environment}`);
  expect((await holdfast.run(['environment:delete', environment, '--yes'])).status).toBe(6);

  // What it has can be had, also after another start of the server.
  await holdfast.stopServer();
  await holdfast.startServer();
  expect(await holdfast.mustRun(['backup:list', environment])).toContain(backup);
  await holdfast.mustRun(['backup:download', backup, '-o', join(holdfast.dataDirectory, 'saved.tar.zst')]);
  await holdfast.mustRun(['backup:restore', backup, '--yes']);
  const { repository, passwordFile } = await holdfast.getBackup(backup);
  const snapshots = await restic({ repository, passwordFile }, ['snapshots', '--json', '--no-lock']);
  expect(JSON.parse(snapshots).length).toBeGreaterThan(0);

  const back = await holdfast.run(['environment:undelete', environment]);
  expect(back.status).toBe(0);
  expect(back.stderr).toContain(`${environment} is deleted no more`);
  expect(await shown()).toMatchObject({ deletion: null });
  await holdfast.createBackup(environment, '--live');

  await holdfast.mustRun(['environment:delete', environment, '--yes']);
  expect(await shown()).toMatchObject({ deletion: { atMs: expect.any(Number) } });
  await holdfast.mustRun(['environment:undelete', environment]);
});

it('a component is deleted once Docker has no container of it', async () => {
  await holdfast.createBackup(environment, '--live', '--component', 'app');
  const inUse = await holdfast.run(['component:delete', environment, 'app', '--yes']);
  expect(inUse.status).toBe(6);
  expect(inUse.stderr).toContain('error[component-in-use]');
  expect((await holdfast.run(['component:delete', environment, 'apq', '--yes'])).status).toBe(4);

  await project.compose('rm', '--force', '--stop', 'app');
  const { status, stderr } = await holdfast.run(['component:delete', environment, 'app', '--yes']);
  expect(status).toBe(0);
  expect(stderr).toContain('1 backup of');
  expect(stderr).toContain('Those of the whole environment keep what they have of it.');
  expect(await holdfast.mustRun(['environment:get', environment])).toContain(
    'app: what is left of it goes after',
  );

  // There again, it is deleted no more.
  await project.compose('create', 'app');
  const { deletedComponents } = await holdfast.client().call('environment.get', { params: { environment } });
  expect(deletedComponents).toEqual([]);
});
