import { rights } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { committedBackup, sealedPart } from '../../testing/fixtures.ts';
import { openTestApi } from '../../testing/test-api.ts';
import { createBackupStore } from '../backups/store.ts';

test('tells what it knows where Docker does not answer, and what needs a person', async () => {
  await using api = await openTestApi();
  const { catalog, clock, fixtures } = api;
  const [blog, shop] = await fixtures.environments('blog', 'shop');
  if (blog === undefined || shop === undefined) throw new Error('No environment.');
  const backups = createBackupStore({ catalog, clock });
  const good = await fixtures.backup(blog);
  await catalog.write(async (tx) => {
    const committed = committedBackup([sealedPart('uploads', 100)], clock.now());
    await backups.markReady(good.backupId, committed, tx);
  });
  const failed = await fixtures.backup(shop);
  await backups.markFailed(failed.backupId, { code: 'mover-failed', message: 'It broke.' });
  const client = await api.listen();
  const status = await client.call('status.get', {});
  expect(status.environments).toMatchObject([
    {
      ...{ name: 'blog', isReachable: false, isProtected: false, backups: 1, lastFailedBackup: null },
      lastGoodBackup: { id: good.backupId, createdAtMs: clock.now() },
      writesOutsideMounts: null,
    },
    {
      ...{ name: 'shop', backups: 0, lastGoodBackup: null },
      lastFailedBackup: { id: failed.backupId, error: { message: 'It broke.' } },
    },
  ]);
  expect(status.nodes).toMatchObject([{ name: 'local', status: 'unreachable' }]);
  expect(status.vaults).toMatchObject([{ name: 'default', status: 'ok' }]);
  expect(status.jobs).toHaveLength(2);
  const kinds = status.problems.map(({ kind, subject }) => `${kind} ${subject}`);
  expect(kinds[0]).toBe('node-unreachable local');
  expect(kinds).toContain('backup-failed shop');
  expect(kinds).not.toContain('never-backed-up blog');
});

test('of what a token may not read, nothing is told', async () => {
  await using api = await openTestApi();
  const token = await api.tokenWith(['environment:read']);
  const headers = { authorization: `Bearer ${token}` };
  const answer = await api.app.inject({ url: '/api/v1/status', headers });
  expect(answer.json()).toMatchObject({
    nodes: null,
    vaults: null,
    notifications: null,
    jobs: null,
    problems: [],
  });
  const others = await api.tokenWith(rights.filter((right) => right !== 'environment:read'));
  const refused = await api.app.inject({
    url: '/api/v1/status',
    headers: { authorization: `Bearer ${others}` },
  });
  expect(refused.statusCode).toBe(403);
});
