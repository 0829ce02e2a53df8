import { ApiError, type JobEvent } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { createIds } from './catalog/ids.ts';
import { createBackupStore } from './features/backups/store.ts';
import type { JobRecord } from './features/jobs/job-record.ts';
import { createJournalStore } from './features/jobs/journal-store.ts';
import { createLeaseStore } from './features/jobs/lease-store.ts';
import { createLogStore } from './features/jobs/log-store.ts';
import { committedBackup, sealedPart } from './testing/fixtures.ts';
import { openTestApi } from './testing/test-api.ts';

type Api = Awaited<ReturnType<typeof openTestApi>>;

const done = { state: 'done', error: null, warnings: [] } as const;

/** As it stands when a mover has committed a backup. */
async function makeReady(api: Api, job: JobRecord): Promise<void> {
  const { catalog, clock } = api;
  const leases = createLeaseStore({ catalog, clock });
  const leased = await leases.take('test', 60_000);
  if (leased === undefined || job.backupId === null) throw new Error('There is no such job.');
  const { backupId } = job;
  await catalog.write(async (tx) => {
    const parts = [sealedPart('uploads', 100)];
    const committed = committedBackup(parts, clock.now());
    await createBackupStore({ catalog, clock }).markReady(backupId, committed, tx);
    await leases.finish(leased.lease, done, tx);
  });
}

async function withBackup(name = 'shop') {
  const api = await openTestApi();
  const [environment] = await api.fixtures.environments(name);
  if (environment === undefined) throw new Error('No environment.');
  const job = await api.fixtures.backup(environment);
  return { api, client: await api.listen(), environment, job };
}

function failingWith(status: number, code: string) {
  return expect.objectContaining({ status, report: expect.objectContaining({ code }) });
}

test('tells its health and its vault', async () => {
  await using api = await openTestApi();
  const client = await api.listen();
  expect(await client.call('server.health', {})).toMatchObject({ status: 'ok' });
  expect(await client.call('vault.list', {})).toMatchObject({ vaults: [{ name: 'default', status: 'ok' }] });
});

test('without Docker, what needs it fails with a code, and the rest works', async () => {
  const { api, client, environment } = await withBackup();
  await using _ = api;
  const unreachable = failingWith(502, 'docker-unreachable');
  await expect(client.call('environment.list', {})).rejects.toEqual(unreachable);
  await expect(client.call('environment.get', { params: { environment: 'shop' } })).rejects.toEqual(
    unreachable,
  );
  await expect(client.call('backup.create', { params: { environment: 'shop' }, body: {} })).rejects.toEqual(
    unreachable,
  );
  expect((await client.call('backup.list', { query: { environment: environment.id } })).backups).toHaveLength(
    1,
  );
});

test('a backup is listed, shown by the beginning of its id, and its log read', async () => {
  const { api, client, job } = await withBackup();
  await using _ = api;
  const line = { timeMs: 5, level: 'info' as const, message: 'Reading uploads' };
  await createLogStore(api.catalog).append(job.id, [line]);
  await makeReady(api, job);
  const { backups, next } = await client.call('backup.list', {
    query: { environment: 'shop', status: 'ready' },
  });
  expect(next).toBeNull();
  expect(backups).toMatchObject([{ id: job.backupId, status: 'ready', bytes: 100, storedBytes: 50 }]);
  expect(Object.keys(backups[0] ?? {})).not.toContain('repositoryId');

  const backup = await client.call('backup.get', { params: { backup: job.backupId.slice(0, 12) } });
  expect(backup).toMatchObject({
    id: job.backupId,
    parts: [sealedPart('uploads', 100)],
    passwordFile: `${api.config.dataDirectory}/recovery/default.key`,
    manifestSnapshotId: 'c'.repeat(64),
  });
  expect(await client.call('backup.log', { params: { backup: backup.id } })).toEqual({ log: [line] });
  await expect(client.call('backup.get', { params: { backup: 'nothing' } })).rejects.toEqual(
    failingWith(404, 'backup-unknown'),
  );
});

test('backups come page by page', async () => {
  await using api = await openTestApi();
  const environments = await api.fixtures.environments('a', 'b', 'c', 'd', 'e');
  for (const environment of environments) await api.fixtures.backup(environment);
  const client = await api.listen();
  const names: string[] = [];
  let after: string | undefined;
  do {
    const page = await client.call('backup.list', {
      query: { limit: 2, ...(after === undefined ? {} : { after }) },
    });
    names.push(...page.backups.map((backup) => backup.environmentName));
    after = page.next ?? undefined;
  } while (after !== undefined);
  expect(names.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  for (const wrong of ['x', '5-x', `1-${environments[0]?.id}`]) {
    await expect(client.call('backup.list', { query: { after: wrong } })).rejects.toEqual(
      failingWith(400, 'usage-invalid'),
    );
  }
});

test('only a ready backup is restored, only components that it has, and one job at a time', async () => {
  const { api, client, job, environment } = await withBackup();
  await using _ = api;
  const restore = async (components?: string[]) =>
    await client.call('backup.restore', {
      params: { backup: job.backupId },
      body: components === undefined ? {} : { components },
    });
  await expect(restore()).rejects.toEqual(failingWith(409, 'backup-not-ready'));
  await makeReady(api, job);
  await expect(restore(['db'])).rejects.toEqual(failingWith(404, 'component-unknown'));
  const { job: started } = await restore(['web']);
  expect(started).toMatchObject({ kind: 'restore', state: 'queued', backupId: job.backupId });
  await expect(restore()).rejects.toEqual(failingWith(409, 'environment-busy'));
  await expect(client.call('backup.delete', { params: { backup: job.backupId } })).rejects.toEqual(
    failingWith(409, 'environment-busy'),
  );
  expect(
    (await client.call('job.list', { query: { environment: environment.id, state: 'queued' } })).jobs,
  ).toEqual([started]);
});

test('an unfinished restore is completed as a whole, with the backup that it needs', async () => {
  const { api, client, job, environment } = await withBackup();
  await using _ = api;
  await makeReady(api, job);
  const params = { backup: job.backupId };
  const { job: restore } = await client.call('backup.restore', { params, body: {} });
  const leases = createLeaseStore(api);
  const leased = await leases.take('test', 60_000);
  if (leased === undefined) throw new Error('No job.');
  await createJournalStore(api.catalog).write({
    environmentId: environment.id,
    backupId: job.backupId,
    jobId: restore.id,
    containers: [],
    startedAtMs: 1,
    reason: 'Cut off.',
  });
  await leases.finish(leased.lease, { ...done, state: 'failed' });
  const unfinished = failingWith(409, 'environment-unfinished-restore');
  await expect(client.call('backup.restore', { params, body: { components: ['web'] } })).rejects.toEqual(
    unfinished,
  );
  await expect(client.call('backup.delete', { params })).rejects.toEqual(unfinished);
  await expect(client.call('backup.restore', { params, body: {} })).resolves.toBeDefined();
});

test('paths are of parts that the backup has, and what was begun with them is completed', async () => {
  const { api, client, job, environment } = await withBackup();
  await using _ = api;
  await makeReady(api, job);
  const params = { backup: job.backupId };
  const restore = async (body: { components?: string[]; paths?: { part: string; path: string }[] }) =>
    await client.call('backup.restore', { params, body });
  const paths = [{ part: 'uploads', path: 'a/b' }];
  await expect(restore({ paths: [{ part: 'none', path: '' }] })).rejects.toEqual(
    failingWith(404, 'path-unknown'),
  );
  await expect(restore({ paths: [{ part: 'uploads', path: '../x' }] })).rejects.toEqual(
    failingWith(400, 'usage-invalid'),
  );
  await expect(restore({ paths, components: ['web'] })).rejects.toEqual(failingWith(400, 'usage-invalid'));
  const { job: begun } = await restore({ paths });
  await client.call('job.cancel', { params: { job: begun.id } });
  await createJournalStore(api.catalog).write({
    environmentId: environment.id,
    backupId: job.backupId,
    jobId: begun.id,
    containers: [],
    startedAtMs: 1,
    reason: 'Cut off.',
  });
  const unfinished = failingWith(409, 'environment-unfinished-restore');
  await expect(restore({ paths: [{ part: 'uploads', path: 'a/c' }] })).rejects.toEqual(unfinished);
  await expect(restore({ components: ['web'] })).rejects.toEqual(unfinished);
  for (const body of [{ paths }, { paths: [{ part: 'uploads', path: 'a' }] }, {}]) {
    const { job: completing } = await restore(body);
    await client.call('job.cancel', { params: { job: completing.id } });
  }
});

test('a restore into another environment is a job of that, and keeps the backup from being deleted', async () => {
  const { api, client, job, environment } = await withBackup();
  await using _ = api;
  await makeReady(api, job);
  const [, staging] = await api.fixtures.environments('shop', 'staging');
  const params = { backup: job.backupId };
  const body = { target: 'staging' };
  await expect(client.call('backup.restore', { params, body: { target: 'none' } })).rejects.toEqual(
    failingWith(404, 'environment-unknown'),
  );
  const { job: started } = await client.call('backup.restore', { params, body });
  expect(started).toMatchObject({ kind: 'restore', environmentId: staging?.id, environmentName: 'staging' });
  await expect(client.call('backup.restore', { params, body })).rejects.toEqual(
    failingWith(409, 'environment-busy'),
  );
  const busy = failingWith(409, 'environment-busy');
  await expect(client.call('backup.delete', { params })).rejects.toEqual(busy);
  await client.call('job.cancel', { params: { job: started.id } });
  const { job: deleting } = await client.call('backup.delete', { params });
  expect(deleting.environmentId).toBe(environment.id);
  await expect(client.call('backup.restore', { params, body })).rejects.toEqual(busy);
});

test('a new environment is made beside another under a name that is free', async () => {
  const { api, client, job, environment } = await withBackup();
  await using _ = api;
  await makeReady(api, job);
  const restore = async (body: { readonly target?: string; readonly components?: string[] }) => {
    const params = { backup: job.backupId };
    return await client.call('backup.restore', { params, body: { ...body, branchFrom: environment.name } });
  };
  const invalid = failingWith(400, 'usage-invalid');
  await expect(restore({})).rejects.toEqual(invalid);
  await expect(restore({ target: 'Not a name' })).rejects.toEqual(invalid);
  await expect(restore({ target: 'copy', components: ['web'] })).rejects.toEqual(invalid);
  const onNode = { params: { backup: job.backupId }, body: { node: 'local' } };
  await expect(client.call('backup.restore', onNode)).rejects.toEqual(invalid);
  await expect(restore({ target: environment.name })).rejects.toEqual(failingWith(409, 'environment-exists'));
  const { job: started } = await restore({ target: 'copy' });
  expect(started).toMatchObject({ kind: 'restore', environmentName: 'copy' });
  await expect(restore({ target: 'copy' })).rejects.toEqual(failingWith(409, 'environment-exists'));
});

test('a backup that another environment needs to complete a restore is not deleted', async () => {
  const { api, client, job } = await withBackup();
  await using _ = api;
  await makeReady(api, job);
  const [, staging] = await api.fixtures.environments('shop', 'staging');
  if (staging === undefined) throw new Error('No environment.');
  const params = { backup: job.backupId };
  const { job: restore } = await client.call('backup.restore', { params, body: { target: staging.id } });
  await client.call('job.cancel', { params: { job: restore.id } });
  await createJournalStore(api.catalog).write({
    environmentId: staging.id,
    backupId: job.backupId,
    jobId: restore.id,
    containers: [],
    startedAtMs: 1,
    reason: 'Cut off.',
  });
  await expect(client.call('backup.delete', { params })).rejects.toEqual(
    failingWith(409, 'environment-unfinished-restore'),
  );
  const body = { target: 'staging', components: ['web'] };
  await expect(client.call('backup.restore', { params, body })).rejects.toEqual(
    failingWith(409, 'environment-unfinished-restore'),
  );
});

test('deleting queues a job, and the backup is there until it is done', async () => {
  const { api, client, job } = await withBackup();
  await using _ = api;
  await makeReady(api, job);
  const { job: started } = await client.call('backup.delete', { params: { backup: job.backupId } });
  expect(started).toMatchObject({ kind: 'delete', state: 'queued', backupId: job.backupId });
  expect(await client.call('backup.get', { params: { backup: job.backupId } })).toMatchObject({
    status: 'ready',
  });
});

test('a queued job is cancelled with its backup; what is over cannot be', async () => {
  const { api, client, job } = await withBackup();
  await using _ = api;
  const params = { job: job.id };
  expect(await client.call('job.cancel', { params })).toMatchObject({ state: 'cancelled' });
  expect(await client.call('backup.get', { params: { backup: job.backupId } })).toMatchObject({
    status: 'cancelled',
  });
  await expect(client.call('job.cancel', { params })).rejects.toEqual(
    failingWith(409, 'job-not-cancellable'),
  );
  const unknown = { params: { job: createIds().job() } };
  await expect(client.call('job.cancel', unknown)).rejects.toEqual(failingWith(404, 'job-unknown'));
  await expect(client.call('job.get', unknown)).rejects.toEqual(failingWith(404, 'job-unknown'));
});

test('a running job is asked to stop', async () => {
  const { api, client, job } = await withBackup();
  await using _ = api;
  await createLeaseStore(api).take('test', 60_000);
  expect(await client.call('job.cancel', { params: { job: job.id } })).toMatchObject({
    state: 'running',
    cancelRequested: true,
  });
});

test('following a job shows each change and each line once, and ends with the job', async () => {
  const { api, client, job } = await withBackup();
  await using _ = api;
  const leases = createLeaseStore(api);
  const logs = createLogStore(api.catalog);
  const line = (message: string) => ({ timeMs: 1, level: 'info' as const, message });
  await logs.append(job.id, [line('one'), line('two')]);
  const events: JobEvent[] = [];
  for await (const event of client.stream('job.events', { params: { job: job.id } })) {
    events.push(event);
    if (event.type !== 'job') continue;
    if (event.job.state === 'queued') {
      const leased = await leases.take('test', 60_000);
      if (leased === undefined) throw new Error('No job.');
      await leases.update(leased.lease, { step: 'Copying' });
      await logs.append(
        job.id,
        Array.from({ length: 1200 }, (_, index) => line(`line ${index}`)),
      );
      await leases.finish(leased.lease, done);
    }
  }
  const lines = events.flatMap((event) => (event.type === 'log' ? [event.line.message] : []));
  expect(lines).toEqual(['one', 'two', ...Array.from({ length: 1200 }, (_, index) => `line ${index}`)]);
  expect(events.flatMap((event) => (event.type === 'job' ? [event.job.state] : []))).toEqual([
    'queued',
    'done',
  ]);
  expect(events.at(-1)).toMatchObject({ type: 'job', job: { state: 'done', step: 'Copying' } });
  const unknown = client.stream('job.events', { params: { job: createIds().job() } });
  await expect(unknown.next()).rejects.toBeInstanceOf(ApiError);
});

test('names that nothing has are told with those that there are', async () => {
  const { api, client } = await withBackup();
  await using _ = api;
  await expect(client.call('backup.list', { query: { environment: 'shpo' } })).rejects.toMatchObject({
    status: 404,
    report: { code: 'environment-unknown', hint: 'Known: shop.' },
  });
});

test('what was deleted is shown as it was, is not followed, and gives its name to nothing new', async () => {
  const { api, client, job, environment } = await withBackup();
  await using _ = api;
  await makeReady(api, job);
  const params = { environment: 'shop' };
  const plan = await client.call('environment.deletion', { params });
  expect(plan).toMatchObject({ environmentId: environment.id, component: null, deletion: null, backups: 1 });
  expect(plan.newestGood).toMatchObject([{ id: job.backupId }]);
  const { deletion } = await client.call('environment.delete', { params });
  expect(deletion?.untilMs).toBe(api.clock.now() + 7 * 24 * 3_600_000);
  const deleted = failingWith(409, 'environment-deleted');
  await expect(client.call('environment.delete', { params })).rejects.toEqual(deleted);
  await expect(client.call('policy.explain', { params })).rejects.toEqual(deleted);
  const schedule = await client.call('schedule.get', { params });
  expect(schedule.nextRuns).toEqual([]);
  expect(schedule.warnings).toEqual(['shop was deleted: nothing is followed.']);
  expect((await client.call('backup.list', { query: params })).backups).toHaveLength(1);
  const copy = { params: { backup: job.backupId }, body: { branchFrom: 'shop', target: 'shop' } };
  await expect(client.call('backup.restore', copy)).rejects.toEqual(deleted);
  // Whether Docker has containers of a component, nobody can say now.
  const component = { environment: 'shop', component: 'web' };
  await client.call('environment.undelete', { params });
  await expect(client.call('component.delete', { params: component })).rejects.toEqual(
    failingWith(502, 'docker-unreachable'),
  );
  expect(await client.call('environment.undelete', { params })).toMatchObject({
    wasDeleted: false,
    backups: 1,
  });
  expect((await client.call('schedule.get', { params })).nextRuns).not.toEqual([]);
});
