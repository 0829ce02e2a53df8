import { mkdtempDisposableSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, environmentIdSchema, type Notification, notificationIdSchema } from '@holdfast/protocol';
import { expect, it } from 'vitest';
import { cliRun } from '../../testing/cli-run.ts';
import { ProtocolServer } from '../../testing/protocol-server.ts';
import { sampleTimeMs } from '../../testing/samples.ts';

const notification = (change: Partial<Notification> = {}): Notification => ({
  id: notificationIdSchema.parse('ntf_0123456789abcdef'),
  name: 'ops',
  events: ['backup.failed', 'vault.missing'],
  environments: null,
  allowPrivate: false,
  settings: { kind: 'webhook', origin: 'https://example.test' },
  queued: 0,
  failed: 0,
  lastDeliveredAtMs: null,
  lastError: null,
  createdAtMs: sampleTimeMs,
  ...change,
});

const url = 'https://example.test/hook';

it('notification:add prints the id alone, and the secret once beside it', async () => {
  await using server = await ProtocolServer.start({
    'notification.add': () => ({ notification: notification(), secret: 'whs_new' }),
  });
  const words = ['notification:add', 'ops', '--kind', 'webhook', '--url', url];
  const { status, output, notes } = await cliRun(words, { server });
  expect({ status, output }).toEqual({ status: 0, output: 'ntf_0123456789abcdef\n' });
  expect(notes).toContain('shown only now: whs_new');
  expect(server.received).toMatchObject([{ body: { name: 'ops', settings: { kind: 'webhook', url } } }]);
  const asJson = await cliRun([...words, '--format', 'json'], { server });
  expect(JSON.parse(asJson.output)).toMatchObject({ secret: 'whs_new', notification: { name: 'ops' } });
});

it('notification:add takes what is secret from files', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'holdfast-cli-'));
  for (const name of ['password', 'token', 'secret'])
    await writeFile(join(folder.path, name), `${name} of sixteen and more\n`);
  await writeFile(join(folder.path, 'url'), `${url}\n`);
  await using server = await ProtocolServer.start({
    'notification.add': () => ({ notification: notification(), secret: null }),
  });
  const add = async (...words: string[]) => {
    const { status, notes } = await cliRun(['notification:add', 'x', ...words], {
      server,
      folder: folder.path,
    });
    expect(notes).not.toContain('error');
    expect(status).toBe(0);
  };
  const mail = ['--host', 'mail.test', '--user', 'u', '--password-file', 'password', '--from', 'a@a.test'];
  await add('--kind', 'email', ...mail, '--to', 'b@a.test', '--to', 'c@a.test', '--allow-private');
  await add('--kind', 'ntfy', '--topic', 't', '--access-token-file', 'token', '--environment', 'shop');
  await add('--kind', 'webhook', '--url-file', 'url', '--secret-file', 'secret');
  await add('--kind', 'healthchecks', '--url', url, '--event', 'backup.failed,run.missed');
  await add('--kind', 'uptime-kuma', '--url', url);
  expect(server.received.map(({ body }) => body)).toEqual([
    {
      name: 'x',
      allowPrivate: true,
      settings: {
        kind: 'email',
        host: 'mail.test',
        user: 'u',
        password: 'password of sixteen and more',
        from: 'a@a.test',
        to: ['b@a.test', 'c@a.test'],
      },
    },
    {
      name: 'x',
      environments: ['shop'],
      settings: { kind: 'ntfy', topic: 't', token: 'token of sixteen and more' },
    },
    { name: 'x', settings: { kind: 'webhook', url, secret: 'secret of sixteen and more' } },
    { name: 'x', events: ['backup.failed', 'run.missed'], settings: { kind: 'healthchecks', url } },
    { name: 'x', settings: { kind: 'uptime-kuma', url } },
  ]);
});

it.each([
  [['--kind', 'webhook'], '--url: missing'],
  [['--kind', 'webhook', '--url', 'file:///a-private-path'], '--url: missing, or not as it should be'],
  [['--kind', 'webhook', '--url', url, '--topic', 'x'], '--topic is not for the kind webhook.'],
  [['--kind', 'webhook', '--url', url, '--url-file', 'x'], 'either --url or --url-file'],
  [['--kind', 'ntfy'], '--topic: missing'],
  [['--kind', 'email', '--host', 'x', '--from', 'a@b.test'], '--to: missing'],
  [['--kind', 'email', '--host', 'x', '--from', 'a', '--to', 'a@b.test'], '--from: missing, or not'],
  [['--kind', 'pigeon'], 'webhook, email, ntfy'],
  [['--kind', 'webhook', '--url', url, '--event', 'backup.lost'], 'backup.failed'],
  [[], '--kind'],
])('notification:add %j is wrong usage', async (words, note) => {
  const { status, notes } = await cliRun(['notification:add', 'x', ...words]);
  expect(status).toBe(2);
  expect(notes).toContain(note);
  expect(notes).not.toContain('a-private-path');
});

it('notification:update changes what is given, by its kind', async () => {
  await using server = await ProtocolServer.start({
    'notification.get': () => notification(),
    'notification.update': () => notification({ events: ['backup.failed'] }),
  });
  const update = async (...words: string[]) =>
    await cliRun(['notification:update', 'ops', ...words], { server });
  expect((await update('--event', 'backup.failed')).output).toMatch(/^Events +backup\.failed$/m);
  await update('--url', url, '--no-allow-private', '--all-environments', '--default-events');
  await update('--environment', 'shop', '--name', 'team', '--allow-private');
  const bodies = server.received.flatMap(({ name, body }) => (name === 'notification.update' ? [body] : []));
  expect(bodies).toEqual([
    { events: ['backup.failed'] },
    { settings: { kind: 'webhook', url }, allowPrivate: false, environments: null, events: null },
    { environments: ['shop'], name: 'team', allowPrivate: true },
  ]);
  expect((await update()).notes).toContain('There is nothing to change.');
  expect((await update('--topic', 'x')).status).toBe(2);
  expect((await update('--event', 'backup.failed', '--default-events')).status).toBe(2);
});

it('notification:list and notification:get show how it went', async () => {
  const lastError = { atMs: sampleTimeMs, message: 'example.test did not take it.' };
  const shop = { id: environmentIdSchema.parse('env_0123456789abcdef'), name: 'shop' };
  const failing = notification({ lastError, queued: 2, environments: [shop] });
  await using server = await ProtocolServer.start({
    'notification.list': () => ({ notifications: [notification({ name: 'a' }), failing] }),
    'notification.get': () => failing,
  });
  const list = ['notification:list', '-c', 'name,kind,environments,delivered,error'];
  expect((await cliRun(list, { server })).output).toMatch(
    /\na +webhook +all +never *.*\nops +webhook +shop +never +example\.test did not take it\.\n$/,
  );
  const { output } = await cliRun(['notification:get', 'ops'], { server });
  expect(output).toMatch(/^Host +https:\/\/example\.test$/m);
  expect(output).toMatch(/^Still to be delivered +2$/m);
  expect(output).toMatch(/^Last error +2026-.*: example\.test did not take it\.$/m);
});

it('notification:test prints the answer, or fails with it', async () => {
  let isBroken = false;
  await using server = await ProtocolServer.start({
    'notification.test': () => {
      if (!isBroken) return { answer: 'status 200, ok' };
      const message = 'example.test did not take it: status 404.';
      throw new ApiError(502, { code: 'notification-failed', message });
    },
    'notification.remove': () => ({}),
  });
  expect(await cliRun(['notification:test', 'ops'], { server })).toMatchObject({
    status: 0,
    output: 'status 200, ok\n',
  });
  isBroken = true;
  const { status, notes } = await cliRun(['notification:test', 'ops'], { server });
  expect(status).toBe(1);
  expect(notes).toContain('error[notification-failed]: example.test did not take it: status 404.');
  expect((await cliRun(['notification:remove', 'ops'], { server })).notes).toContain('Removed ops.');
});
