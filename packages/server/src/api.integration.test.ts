import { connectDocker } from '@holdfast/docker';
import { expect, test } from 'vitest';
import { upComposeProject } from './testing/compose-project.ts';
import { openTestApi } from './testing/test-api.ts';

const host = process.env.DOCKER_HOST;
const image = process.env.HOLDFAST_TEST_IMAGE;

// Skipped only where there is no engine; `script/testbed up docker images` starts one.
const dockerTest = test.skipIf(host === undefined || image === undefined);

async function setUp() {
  const stack = new AsyncDisposableStack();
  const project = stack.use(await upComposeProject(host ?? '', image ?? ''));
  const api = stack.use(await openTestApi({ dockerHost: host ?? '' }));
  return { api, project, client: await api.listen(), dispose: stack };
}

function failingWith(status: number, code: string, hint = '') {
  const report = expect.objectContaining({ code, hint: expect.stringContaining(hint) });
  return expect.objectContaining({ status, report });
}

dockerTest('a Compose project is an environment, with each mount, whether it is in, and why', async () => {
  const { client, project, dispose } = await setUp();
  await using _ = dispose;
  const { environments } = await client.call('environment.list', {});
  const listed = environments.find((environment) => environment.name === project.name);
  expect(listed).toMatchObject({
    project: project.name,
    state: 'active',
    type: 'production',
    nodeName: 'local',
    folder: project.folder,
    components: ['idle', 'web'],
    lastBackupAtMs: null,
  });
  const environment = await client.call('environment.get', { params: { environment: listed?.id ?? '' } });
  expect(
    environment.components.map(({ name, instances }) => [name, instances.map(({ state }) => state)]),
  ).toEqual([
    ['idle', ['created']],
    ['web', ['created']],
  ]);
  expect(environment).toMatchObject({ writesOutsideMounts: [], unfinishedRestore: null });
  expect(
    environment.mounts.map(({ name, source, included }) => [name, source?.kind, included]).sort(),
  ).toEqual([
    ['./conf', 'bind', true],
    ['/etc/localtime', 'bind', false],
    [project.volume, 'volume', true],
  ]);
  expect(environment.mounts.every(({ reason }) => reason.length > 0)).toBe(true);
});

dockerTest('without containers it is inactive and as it was last seen, with its id', async () => {
  const { client, project, dispose } = await setUp();
  await using _ = dispose;
  const params = { environment: project.name };
  const before = await client.call('environment.get', { params });
  await project.down();
  const { components, mounts, ...after } = await client.call('environment.get', { params });
  expect(after).toMatchObject({ id: before.id, state: 'inactive', folder: project.folder });
  expect([components, mounts]).toEqual([before.components, before.mounts]);
  await expect(client.call('backup.create', { params, body: {} })).rejects.toEqual(
    failingWith(409, 'environment-inactive'),
  );
});

dockerTest('a backup that is asked for is queued with what it is of and when it ends', async () => {
  const { client, api, project, dispose } = await setUp();
  await using _ = dispose;
  const params = { environment: project.name };
  const body = { description: 'before the update', retention: '1d', components: ['web'], allowEmpty: true };
  const { job, backupId } = await client.call('backup.create', { params, body });
  expect(job).toMatchObject({ kind: 'backup', state: 'queued', environmentName: project.name, backupId });
  const backup = await client.call('backup.get', { params: { backup: backupId } });
  expect(backup).toMatchObject({
    kind: 'manual',
    mode: 'consistent',
    status: 'queued',
    description: 'before the update',
    components: ['web'],
    jobId: job.id,
    expiresAtMs: api.clock.now() + 86_400_000,
  });
  expect(backup.repository.startsWith(`${api.config.vaultDirectory}/${project.name}-`)).toBe(true);
  await expect(client.call('backup.create', { params, body: {} })).rejects.toEqual(
    failingWith(409, 'environment-busy', job.id),
  );
  await client.call('job.cancel', { params: { job: job.id } });
  const again = await client.call('backup.create', { params, body: {} });
  expect((await client.call('backup.get', { params: { backup: again.backupId } })).repository).toBe(
    backup.repository,
  );
});

dockerTest('what cannot be backed up is refused before anything is written', async () => {
  const { client, api, project, dispose } = await setUp();
  await using _ = dispose;
  const create = async (environment: string, components?: string[]) =>
    await client.call('backup.create', {
      params: { environment },
      body: components === undefined ? {} : { components },
    });
  await expect(create('nothing')).rejects.toEqual(failingWith(404, 'environment-unknown', project.name));
  await expect(create(project.name, ['web', 'db'])).rejects.toEqual(
    failingWith(404, 'component-unknown', 'idle, web'),
  );
  await expect(create(project.name, ['idle'])).rejects.toEqual(failingWith(409, 'environment-empty'));
  for (const table of ['backup', 'job', 'repository'] as const) {
    expect(await api.catalog.db.selectFrom(table).selectAll().execute()).toEqual([]);
  }
});

dockerTest('no mount within the vault or the data directory is ever included', async () => {
  await using project = await upComposeProject(host ?? '', image ?? '');
  await using api = await openTestApi({ dockerHost: host ?? '', vaultDirectory: `${project.folder}/conf` });
  const client = await api.listen();
  const { mounts } = await client.call('environment.get', { params: { environment: project.name } });
  expect(mounts.find((mount) => mount.name === './conf')).toMatchObject({
    included: false,
    reason: expect.stringMatching(/Holdfast's vault/),
  });
});

dockerTest('tells which components keep data outside of any mount', async () => {
  const { client, project, dispose } = await setUp();
  await using _ = dispose;
  const docker = await connectDocker({ host: host ?? '' });
  const params = { environment: project.name };
  const { components } = await client.call('environment.get', { params });
  const idle = components.find((component) => component.name === 'idle')?.instances[0]?.containerId ?? '';
  await docker.containers.start(idle);
  await using session = await docker.containers.exec(idle, {
    command: ['touch', '/root/kept'],
    timeoutMs: 10_000,
  });
  session.stdout.resume();
  session.stderr.resume();
  expect(await session.exitCode).toBe(0);
  expect((await client.call('environment.get', { params })).writesOutsideMounts).toEqual(['idle']);
});
