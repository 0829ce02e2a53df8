import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { Client, NotificationSettings } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import type { Logger } from '../../config/logger.ts';
import { type HttpReceiver, openHttpReceiver, type Reply } from '../../testing/http-receiver.ts';
import { sampleEvent, sampleEvents } from '../../testing/notification-samples.ts';
import { openTestApi } from '../../testing/test-api.ts';

type Api = Awaited<ReturnType<typeof openTestApi>>;

const minuteMs = 60_000;

function failingWith(status: number, code: string) {
  return expect.objectContaining({ status, report: expect.objectContaining({ code }) });
}

function webhook(origin: string): NotificationSettings {
  return { kind: 'webhook', url: `${origin}/hooks/a-secret-path` };
}

/** Looks again and again until it is so. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = 2000; left > 0; left -= 1) {
    if (await isSo()) return;
    await delay(5);
  }
  throw new Error('It did not come to that.');
}

async function setUp(...replies: readonly Reply[]) {
  const stack = new AsyncDisposableStack();
  const lines: unknown[] = [];
  const write = (message: string, fields?: object): void => void lines.push([message, fields]);
  const logger: Logger = { debug: write, info: write, warn: write, error: write, child: () => logger };
  const api = stack.use(await openTestApi({ logger }));
  const receiver = stack.use(await openHttpReceiver(...replies));
  const client = await api.listen();
  return { api, receiver, client, lines, dispose: stack };
}

async function add(client: Client, receiver: HttpReceiver, change: object = {}) {
  const body = { name: 'ops', allowPrivate: true, settings: webhook(receiver.origin), ...change };
  return await client.call('notification.add', { body });
}

async function get(client: Client, notification = 'ops') {
  return await client.call('notification.get', { params: { notification } });
}

/** Lets time pass by the server's clock, and has it look. */
function pass({ clock, notifications }: Api, durationMs: number): void {
  clock.advance(durationMs);
  notifications.wake();
}

describe('a notification', () => {
  test('is added, listed, changed and removed, and shows nothing secret', async () => {
    const { api, receiver, client, dispose } = await setUp();
    await using _ = dispose;
    const [shop] = await api.fixtures.environments('shop', 'blog');
    const { notification, secret } = await add(client, receiver, { environments: ['shop'] });
    expect(secret).toMatch(/^whs_[\w-]{43}$/);
    expect(notification).toMatchObject({
      name: 'ops',
      allowPrivate: true,
      settings: { kind: 'webhook', origin: receiver.origin },
      environments: [{ id: shop?.id, name: 'shop' }],
      queued: 0,
      lastDeliveredAtMs: null,
      lastError: null,
    });
    expect(notification.events).toContain('backup.failed');
    expect(notification.events).not.toContain('backup.succeeded');
    await add(client, receiver, {
      name: 'mail',
      settings: {
        kind: 'email',
        host: 'mail.example.test',
        user: 'ops',
        password: 'a-secret-password',
        from: 'a@example.test',
        to: ['b@example.test'],
      },
    });
    const ntfy = { kind: 'ntfy', topic: 'a-secret-topic', token: 'a-secret-token' };
    await add(client, receiver, { name: 'phone', settings: ntfy });
    const check = { kind: 'healthchecks', url: 'https://hc.example.test/a-secret-uuid' };
    await add(client, receiver, { name: 'check', settings: check });
    const all = await client.call('notification.list', {});
    expect(all.notifications.map(({ name }) => name)).toEqual(['check', 'mail', 'ops', 'phone']);
    expect(all.notifications.map(({ settings }) => settings)).toEqual([
      { kind: 'healthchecks', origin: 'https://hc.example.test' },
      expect.objectContaining({ security: 'starttls', port: 587, user: 'ops', hasPassword: true }),
      { kind: 'webhook', origin: receiver.origin },
      { kind: 'ntfy', server: 'https://ntfy.sh', hasToken: true },
    ]);
    const rows = await api.catalog.db.selectFrom('notification').selectAll().execute();
    expect(JSON.stringify([all, rows])).not.toContain('a-secret');
    expect(JSON.stringify([all, rows])).not.toContain(secret);

    const body = { name: 'team', events: ['restore.done' as const], environments: null };
    const params = { notification: 'ops' };
    const changed = await client.call('notification.update', { params, body });
    expect(changed).toMatchObject({ id: notification.id, ...body });
    const again = { params: { notification: 'team' }, body: { events: null } };
    expect((await client.call('notification.update', again)).events).toEqual(notification.events);
    await client.call('notification.remove', { params: { notification: notification.id } });
    await expect(get(client, 'team')).rejects.toMatchObject({
      status: 404,
      report: { code: 'notification-unknown', hint: 'Known: check, mail, phone.' },
    });
  });

  test('that cannot be is refused with a reason', async () => {
    const { receiver, client, dispose } = await setUp();
    await using _ = dispose;
    await add(client, receiver);
    await expect(add(client, receiver)).rejects.toEqual(failingWith(409, 'notification-exists'));
    const unknown = { name: 'x', environments: ['nowhere'] };
    await expect(add(client, receiver, unknown)).rejects.toEqual(failingWith(404, 'environment-unknown'));
    const email = { kind: 'email', host: 'x', from: 'a@b.test', to: ['a@b.test'] };
    const invalid = failingWith(400, 'usage-invalid');
    for (const settings of [
      { kind: 'webhook', url: 'file:///etc/passwd' },
      { kind: 'webhook', url: 'gopher://example.test/' },
      { kind: 'webhook', url: 'https://example.test/', secret: 'short' },
      { kind: 'webhook', url: 'https://user:100%@example.test/' },
      { kind: 'webhook', url: 'https://user:%E0%A4@example.test/' },
      { kind: 'ntfy', topic: 'a/b' },
      { kind: 'ntfy', topic: 'a', server: 'https://ntfy.sh/a' },
      { ...email, to: [] },
      { ...email, to: ['a@b.test, c@d.test'] },
      { ...email, from: 'a@b.test\r\nBcc: c@d.test' },
      { ...email, user: 'somebody' },
      { kind: 'pigeon' },
    ])
      await expect(add(client, receiver, { name: 'x', settings }), inspect(settings)).rejects.toEqual(
        invalid,
      );
    const ping = { name: 'x', settings: { kind: 'uptime-kuma', url: 'https://example.test/' } };
    for (const events of [['restore.done'], ['backup.started'], ['backup.warned'], ['test'], []])
      await expect(add(client, receiver, { ...ping, events })).rejects.toEqual(invalid);
  });

  test('keeps what is secret when it is changed, but for another server', async () => {
    const { receiver, client, dispose } = await setUp();
    await using _ = dispose;
    const { secret } = await add(client, receiver);
    await using other = await openHttpReceiver();
    const params = { notification: 'ops' };
    const settings = { kind: 'webhook' as const, url: `${other.origin}/elsewhere` };
    await client.call('notification.update', { params, body: { settings } });
    await client.call('notification.test', { params });
    const [got] = other.received;
    const [, t, v1] = /^t=(.+),v1=(.+)$/.exec(`${got?.headers['holdfast-signature']}`) ?? [];
    expect(createHmac('sha256', `${secret}`).update(`${t}.${got?.body}`).digest('hex')).toBe(v1);
    const kind = { settings: { kind: 'ntfy' as const, topic: 'x' } };
    const invalid = failingWith(400, 'usage-invalid');
    await expect(client.call('notification.update', { params, body: kind })).rejects.toEqual(invalid);

    const mail = { kind: 'email' as const, host: 'a.test', from: 'a@a.test', to: ['a@a.test'] };
    const own = { user: 'u', password: 'p' };
    await add(client, receiver, { name: 'mail', settings: { ...mail, ...own } });
    const change = async (settings: object) =>
      await client.call('notification.update', {
        params: { notification: 'mail' },
        body: { settings: { kind: 'email', ...settings } },
      });
    await expect(change({ host: 'evil.test' })).rejects.toEqual(invalid);
    await expect(change({ security: 'none' })).rejects.toEqual(invalid);
    await expect(change({ password: null })).rejects.toEqual(invalid);
    expect((await change({ to: ['c@a.test'] })).settings).toMatchObject({ hasPassword: true });
    const moved = await change({ host: 'b.test', security: 'tls', password: 'q' });
    expect(moved.settings).toMatchObject({ host: 'b.test', port: 465, to: ['c@a.test'] });
    expect((await change({ user: null, password: null })).settings).toMatchObject({ hasPassword: false });

    const ntfy = { kind: 'ntfy', server: 'https://a.test', topic: 'x', token: 't' };
    await add(client, receiver, { name: 'phone', settings: ntfy });
    const server = { kind: 'ntfy' as const, server: 'https://b.test' };
    const phone = { notification: 'phone' };
    await expect(
      client.call('notification.update', { params: phone, body: { settings: server } }),
    ).rejects.toEqual(invalid);
  });

  test('is tested at once, and the outcome shown and kept', async () => {
    const { receiver, client, api, lines, dispose } = await setUp(
      { status: 404, body: 'no a-secret-path' },
      200,
    );
    await using _ = dispose;
    await add(client, receiver);
    const params = { notification: 'ops' };
    const failing = await client.call('notification.test', { params }).catch((error: unknown) => error);
    expect(failing).toEqual(failingWith(502, 'notification-failed'));
    const message = expect.stringContaining('did not take it: status 404, no …');
    expect(failing).toMatchObject({ report: { message } });
    expect(await get(client)).toMatchObject({ lastDeliveredAtMs: null, lastError: { message } });
    expect(await client.call('notification.test', { params })).toEqual({ answer: 'status 200' });
    expect(await get(client)).toMatchObject({ lastDeliveredAtMs: api.clock.now(), lastError: null });
    expect(receiver.received.map(({ headers }) => headers['holdfast-event'])).toEqual(['test', 'test']);
    await client.call('notification.update', { params, body: { allowPrivate: false } });
    const refused = failingWith(403, 'url-refused');
    await expect(client.call('notification.test', { params })).rejects.toEqual(refused);
    expect(receiver.received).toHaveLength(2);
    expect(inspect([failing, lines], { depth: null })).not.toContain('a-secret');
  });
});

describe('an event', () => {
  test('comes once to whom it concerns, however often it is told', async () => {
    const { api, receiver, client, dispose } = await setUp();
    await using _ = dispose;
    const [shop, blog] = await api.fixtures.environments('shop', 'blog');
    if (shop === undefined || blog === undefined) throw new Error('No environment.');
    await add(client, receiver, { environments: ['shop'], events: ['backup.succeeded', 'vault.missing'] });
    api.notifications.start();
    const succeeded = sampleEvent('backup.succeeded');
    const ofShop = { ...succeeded, environment: { id: shop.id, name: 'shop' } };
    await api.notifications.notify({ ...succeeded, environment: { id: blog.id, name: 'blog' } });
    await api.notifications.notify({ ...sampleEvent('backup.failed'), environment: ofShop.environment });
    await api.notifications.notify(ofShop);
    await until(() => receiver.received.length === 1);
    await api.notifications.notify(ofShop);
    await api.notifications.notify(sampleEvent('vault.missing'));
    await until(() => receiver.received.length === 2);
    await until(async () => (await get(client)).queued === 0);
    expect(receiver.received.map(({ headers }) => headers['holdfast-event'])).toEqual([
      'backup.succeeded',
      'vault.missing',
    ]);
    expect(await get(client)).toMatchObject({ lastDeliveredAtMs: api.clock.now(), lastError: null });
  });

  test('that is told in a transaction counts as that does', async () => {
    const { api, receiver, client, dispose } = await setUp();
    await using _ = dispose;
    await add(client, receiver);
    const failing = api.catalog.write(async (tx) => {
      await api.notifications.notify(sampleEvent('backup.failed'), tx);
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    expect(await get(client)).toMatchObject({ queued: 0 });
    await api.catalog.write(async (tx) => await api.notifications.notify(sampleEvent('backup.failed'), tx));
    expect(await get(client)).toMatchObject({ queued: 1 });
  });

  test('that cannot be queued fails nothing', async () => {
    const { api, receiver, client, lines, dispose } = await setUp();
    await using _ = dispose;
    await add(client, receiver);
    const event = sampleEvent('backup.failed');
    await api.catalog.db.updateTable('notification').set({ settings: '{}' }).execute();
    await api.notifications.notify(event);
    await api.catalog.write(async (tx) => await api.notifications.notify(event, tx));
    await api.catalog.db.schema.dropTable('notification_delivery').execute();
    await api.catalog.db
      .updateTable('notification')
      .set({ settings: '{"kind":"webhook","origin":""}' })
      .execute();
    await api.notifications.notify(event);
    expect(lines).toHaveLength(3);
    await expect(
      api.catalog.write(async (tx) => await api.notifications.notify(event, tx)),
    ).rejects.toThrow();
  });
});

describe('a delivery', () => {
  test('that fails is tried again later, under the same id', async () => {
    const { api, receiver, client, lines, dispose } = await setUp(500, 503, 200);
    await using _ = dispose;
    await add(client, receiver);
    api.notifications.start();
    await api.notifications.notify(sampleEvent('backup.failed'));
    await until(async () => (await get(client)).lastError !== null);
    expect(await get(client)).toMatchObject({ queued: 1, lastError: { atMs: api.clock.now() } });
    pass(api, 9_999);
    await delay(50);
    expect(receiver.received).toHaveLength(1);
    pass(api, 1);
    await until(() => receiver.received.length === 2);
    await until(async () => (await get(client)).lastError?.atMs === api.clock.now());
    pass(api, minuteMs);
    await until(async () => (await get(client)).queued === 0);
    expect(receiver.received).toHaveLength(3);
    const [first, second, third] = receiver.received;
    expect(new Set(receiver.received.map(({ headers }) => headers['holdfast-delivery'])).size).toBe(1);
    expect([second?.body, third?.body]).toEqual([first?.body, first?.body]);
    expect(third?.headers['holdfast-signature']).not.toBe(first?.headers['holdfast-signature']);
    expect(await get(client)).toMatchObject({ failed: 0, lastError: null });
    expect(inspect(lines, { depth: null })).not.toContain('a-secret');
  });

  test('is given up after five attempts, or at once where another is worth nothing', async () => {
    const { api, receiver, client, lines, dispose } = await setUp(500, 500, 500, 500, 500, 410);
    await using _ = dispose;
    await add(client, receiver);
    api.notifications.start();
    await api.notifications.notify(sampleEvent('backup.failed'));
    for (const [index, delayMs] of [10_000, minuteMs, 10 * minuteMs, 60 * minuteMs].entries()) {
      await until(async () => (await get(client)).lastError?.atMs === api.clock.now());
      expect(receiver.received).toHaveLength(index + 1);
      pass(api, delayMs);
    }
    await until(async () => (await get(client)).failed === 1);
    expect(receiver.received).toHaveLength(5);
    await api.notifications.notify(sampleEvent('vault.missing'));
    await until(async () => (await get(client)).failed === 2);
    expect(receiver.received).toHaveLength(6);
    expect(await get(client)).toMatchObject({
      queued: 0,
      lastError: { message: expect.stringContaining('status 410') },
    });
    const warned = inspect(lines, { depth: null }).match(/is given up/g);
    expect(warned).toHaveLength(2);
    pass(api, 31 * 24 * 60 * minuteMs);
    await until(async () => (await get(client)).failed === 0);
  });

  test('of a ping that is late says nothing once there is a newer one', async () => {
    const { api, receiver, client, dispose } = await setUp(500, 200);
    await using _ = dispose;
    const settings = { kind: 'healthchecks', url: `${receiver.origin}/uuid` };
    await add(client, receiver, { settings });
    api.notifications.start();
    await api.notifications.notify(sampleEvent('backup.started'));
    await until(async () => (await get(client)).lastError !== null);
    pass(api, 5_000);
    await api.notifications.notify(sampleEvent('backup.succeeded'));
    await until(() => receiver.received.length === 2);
    pass(api, 5_000);
    await until(async () => (await get(client)).queued === 0);
    expect(receiver.received.map(({ path }) => path)).toEqual(['/uuid/start', '/uuid']);
  });

  test('of one who is slow holds up no other', async () => {
    const { api, receiver, client, dispose } = await setUp('silent');
    await using _ = dispose;
    await using quick = await openHttpReceiver();
    await add(client, receiver);
    await add(client, quick, { name: 'quick' });
    for (const event of sampleEvents()) if (event.event !== 'test') await api.notifications.notify(event);
    api.notifications.start();
    await until(async () => (await get(client, 'quick')).queued === 0);
    expect(quick.received.length).toBeGreaterThan(5);
    expect(receiver.received).toHaveLength(1);
  });

  test('does not keep a server from stopping, and is due at once for the next', async () => {
    const { api, receiver, client, dispose } = await setUp('silent');
    await using _ = dispose;
    await add(client, receiver);
    api.notifications.start();
    await api.notifications.notify(sampleEvent('backup.failed'));
    await until(() => receiver.received.length === 1);
    const begun = performance.now();
    await api.notifications.stop();
    expect(performance.now() - begun).toBeLessThan(2000);
    const rows = await api.catalog.db.selectFrom('notification_delivery').selectAll().execute();
    expect(rows).toMatchObject([{ state: 'queued', lease_until: null, next_attempt_at: api.clock.now() }]);
    await api.notifications.notify(sampleEvent('vault.missing'));
    await delay(50);
    expect(receiver.received).toHaveLength(1);
  });

  test('with settings that this key does not open fails, and says so', async () => {
    const { api, receiver, client, dispose } = await setUp();
    await using _ = dispose;
    await add(client, receiver);
    await api.catalog.db.updateTable('notification').set({ sealed_settings: '1.00000000.AAAA' }).execute();
    api.notifications.start();
    await api.notifications.notify(sampleEvent('backup.failed'));
    await until(async () => (await get(client)).failed === 1);
    const message = expect.stringContaining('cannot be opened');
    expect(await get(client)).toMatchObject({ lastError: { message } });
  });
});
