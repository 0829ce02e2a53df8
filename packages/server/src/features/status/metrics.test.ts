import { tmpdir } from 'node:os';
import { HoldfastError } from '@holdfast/base';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { parseExposition } from '../../testing/exposition-format.ts';
import { openTestApi } from '../../testing/test-api.ts';
import { createMetrics } from './metrics.ts';

test('is text for Prometheus, at the root and below the prefix, to who may read the server', async () => {
  await using api = await openTestApi({ vaultDirectory: tmpdir() });
  await api.fixtures.environments('shop');
  const headers = { authorization: `Bearer ${await api.tokenWith(['server:read'])}` };
  for (const url of ['/metrics', '/api/v1/metrics']) {
    const answer = await api.app.inject({ url, headers });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    const { types, samples } = parseExposition(answer.body);
    expect(types.get('process_cpu_seconds_total')).toBe('counter');
    expect(samples).toContainEqual({
      name: 'holdfast_environment_active',
      labels: { environment: 'shop', node: 'local' },
      value: 1,
    });
    expect(samples).toContainEqual({ name: 'holdfast_vault_up', labels: { vault: 'default' }, value: 1 });
    const free = samples.find(({ name }) => name === 'holdfast_vault_free_bytes');
    expect(free?.value).toBeGreaterThan(0);
  }
  expect((await api.app.inject({ url: '/metrics' })).statusCode).toBe(401);
  const other = { authorization: `Bearer ${await api.tokenWith(['environment:read'])}` };
  expect((await api.app.inject({ url: '/metrics', headers: other })).statusCode).toBe(403);
  const client = await api.listen();
  expect(await client.call('server.metrics', {})).toContain('holdfast_build_info{version=');
});

test('who asks while somebody else is being answered gets the same answer; later, a new one', async () => {
  let reads = 0;
  const { promise: isLet, resolve: letGo } = Promise.withResolvers<void>();
  const read = async () => {
    reads += 1;
    await isLet;
    throw new HoldfastError('catalog-unreachable', 'It is away.');
  };
  const metrics = createMetrics({ read, version: '1' });
  const both = [metrics(), metrics()];
  letGo();
  const [first, second] = await Promise.all(both);
  expect([first === second, reads]).toEqual([true, 1]);
  expect(first).toContain('holdfast_catalog_up 0');
  await metrics();
  expect(reads).toBe(2);
});

test('a hundred thousand backups and jobs are told within a moment', async () => {
  await using api = await openTestApi();
  const { catalog, fixtures } = api;
  const names = Array.from({ length: 100 }, (_, index) => `app-${index}`);
  const [first] = await fixtures.environments(...names);
  if (first === undefined) throw new Error('No environment.');
  await fixtures.backup(first);
  const numbers = sql`with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 1000)`;
  await sql`${numbers} insert into backup
    (id, environment_id, repository_id, kind, mode, status, description, components, created_by, created_at,
      finished_at, bytes, stored_bytes, capture, made_no)
    select 'bak_' || environment.id || n, environment.id, (select id from repository), 'automated',
      case n % 2 when 0 then 'live' else 'consistent' end, case n % 10 when 0 then 'failed' else 'ready' end,
      '', '[]', 'tester', n, n + 5, n, n, null, n + 1
    from environment, numbers`.execute(catalog.db);
  await sql`${numbers} insert into job
    (id, kind, state, environment_id, request, step, warnings, cancel_requested, created_by, created_at, epoch)
    select 'job_' || environment.id || n, 'backup', 'done', environment.id, '{}', '', '[]', 0, 'tester', n, 1
    from environment, numbers`.execute(catalog.db);
  const headers = { authorization: `Bearer ${await api.tokenWith(['server:read'])}` };
  const ask = async () => await api.app.inject({ url: '/metrics', headers });
  await ask();
  const begunMs = performance.now();
  const { body } = await ask();
  const tookMs = performance.now() - begunMs;
  const finished = parseExposition(body).samples.find(
    ({ name, labels }) =>
      name === 'holdfast_jobs_finished' && labels.kind === 'backup' && labels.outcome === 'done',
  );
  expect(finished?.value).toBe(100_000);
  // Far above what it takes, and far below what reading the rows would.
  expect(tookMs).toBeLessThan(1000);
  for (const statement of ['backup', 'job']) {
    const counted = statement === 'backup' ? 'environment_id, status, kind' : 'kind, state';
    const plan = await sql<{ detail: string }>`
      explain query plan select ${sql.raw(counted)}, count(*) from ${sql.raw(statement)} group by ${sql.raw(counted)}
    `.execute(catalog.db);
    expect(plan.rows.map(({ detail }) => detail).join()).toMatch(/COVERING INDEX \w+_of_sort/);
  }
}, 60_000);
