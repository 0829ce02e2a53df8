import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { inspect } from 'node:util';
import type { NotificationKind } from '@holdfast/protocol';
import { describe, expect, it } from 'vitest';
import { createIds } from '../../catalog/ids.ts';
import { openHttpReceiver } from '../../testing/http-receiver.ts';
import { createManualClock } from '../../testing/manual-clock.ts';
import { sampleEvent } from '../../testing/notification-samples.ts';
import { openSmtpReceiver } from '../../testing/smtp-receiver.ts';
import type { NotificationEvent } from './notification-event.ts';
import { messageOf } from './notification-message.ts';
import type { Settings, SettingsOf } from './notification-settings.ts';
import { createSendMessage, type SenderOptions } from './send-message.ts';

const clock = createManualClock();
const nowSeconds = clock.now() / 1000;

interface SendOptions extends Partial<SenderOptions> {
  readonly event?: NotificationEvent;
  readonly allowPrivate?: boolean;
  readonly signal?: AbortSignal;
}

async function send(settings: Settings, { event, allowPrivate = true, signal, ...rest }: SendOptions = {}) {
  const sendMessage = createSendMessage({ clock, version: '1.2.3', ...rest });
  const message = messageOf(event ?? sampleEvent('backup.failed'), clock.now());
  const outgoing = { id: createIds().delivery(), message };
  const answer = await sendMessage(outgoing, { settings, allowPrivate }, { signal });
  return { answer, ...outgoing };
}

const webhook = (origin: string): SettingsOf<'webhook'> => ({
  kind: 'webhook',
  url: `${origin}/hooks/a-secret-path?token=a-secret-query`,
  secret: 'a-secret-of-the-webhook',
});

const email = (port: number, change: Partial<SettingsOf<'email'>> = {}): SettingsOf<'email'> => ({
  kind: 'email',
  host: '127.0.0.1',
  port,
  security: 'none',
  user: null,
  password: null,
  from: 'holdfast@example.test',
  to: ['a@example.test', 'b@example.test'],
  ...change,
});

const failed = (retry: boolean) => ({ code: 'notification-failed', retry });

/** One line that a mail may have been folded into several. */
const plain = (mail: string): string => mail.replaceAll(/=\n/g, '').replaceAll('=3D', '=');

describe('a webhook', () => {
  it('gets JSON, signed over its time and body with the secret', async () => {
    await using receiver = await openHttpReceiver({ status: 200, body: 'taken\n' });
    const event = sampleEvent('backup.failed');
    const { id, answer } = await send(webhook(receiver.origin), { event });
    expect(answer).toBe('status 200, taken');
    const [got] = receiver.received;
    if (got === undefined) throw new Error('Nothing came.');
    expect(got).toMatchObject({ method: 'POST', path: '/hooks/a-secret-path?token=a-secret-query' });
    expect(got.headers).toMatchObject({
      'content-type': 'application/json',
      'holdfast-event': 'backup.failed',
      'holdfast-delivery': id,
      'user-agent': 'holdfast/1.2.3',
    });
    const [, t = '', v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(`${got.headers['holdfast-signature']}`) ?? [];
    expect(Number(t)).toBe(nowSeconds);
    const key = ['-hmac', 'a-secret-of-the-webhook'];
    const byOpenssl = execFileSync('openssl', ['dgst', '-sha256', ...key, '-r'], {
      input: `${t}.${got.body}`,
    });
    expect(byOpenssl.toString().slice(0, 64)).toBe(v1);
    expect(createHmac('sha256', 'another').update(`${t}.${got.body}`).digest('hex')).not.toBe(v1);
    expect(JSON.parse(got.body)).toEqual({
      id,
      event: 'backup.failed',
      time: '2026-01-01T00:00:00.000Z',
      environment: event.environment,
      backup: event.backup,
      job: event.job,
      message: 'The volume data is empty.',
      hint: 'Look at it.',
      details: { code: 'source-empty' },
    });
  });

  it.each([
    [500, true],
    [503, true],
    [408, true],
    [429, true],
    [400, false],
    [404, false],
    [410, false],
  ])('that answers %i fails; worth another attempt: %s', async (status, retry) => {
    await using receiver = await openHttpReceiver({ status, body: 'because' });
    await expect(send(webhook(receiver.origin))).rejects.toMatchObject({
      ...failed(retry),
      message: expect.stringContaining(`status ${status}, because`),
    });
  });

  it('is not followed where it redirects to', async () => {
    await using receiver = await openHttpReceiver(302, 200);
    await expect(send(webhook(receiver.origin))).rejects.toMatchObject(failed(false));
    expect(receiver.received).toHaveLength(1);
  });

  it('has to answer in time, and to be there', async () => {
    let origin = '';
    {
      await using receiver = await openHttpReceiver('silent');
      origin = receiver.origin;
      await expect(send(webhook(origin), { timeoutMs: 50 })).rejects.toMatchObject({
        ...failed(true),
        message: 'There was no answer within 0.05 s.',
      });
    }
    await expect(send(webhook(origin))).rejects.toMatchObject({
      ...failed(true),
      message: expect.stringMatching(/^The connection to 127\.0\.0\.1:\d+ failed: ECONNREFUSED\.$/),
    });
  });

  it('whose name is not found in time fails in time', async () => {
    const resolveName = () => new Promise<never>(() => {});
    const settings = { ...webhook('http://x'), url: 'http://never.example.test/' };
    await expect(send(settings, { resolveName, timeoutMs: 50 })).rejects.toMatchObject(failed(true));
  });

  it('that answers without an end is read to a bound', async () => {
    await using receiver = await openHttpReceiver({ status: 200, body: 'x'.repeat(1_000_000) });
    expect((await send(webhook(receiver.origin))).answer.length).toBeLessThan(300);
  });

  it('says nothing secret, whatever it answers', async () => {
    const settings = { ...webhook('http://x'), secret: 'a-secret-of-the-webhook' };
    for (const status of [200, 404]) {
      const body = `Cannot POST /hooks/a-secret-path?token=a-secret-query a-secret-of-the-webhook`;
      await using receiver = await openHttpReceiver({ status, body });
      const told = await send({ ...settings, url: webhook(receiver.origin).url }).catch(
        (error: unknown) => error,
      );
      expect(inspect(told, { depth: null })).toContain('Cannot POST');
      expect(inspect(told, { depth: null })).not.toContain('a-secret');
    }
  });

  it('is cut off by its signal at once', async () => {
    await using receiver = await openHttpReceiver('silent');
    const signal = AbortSignal.timeout(30);
    await expect(send(webhook(receiver.origin), { signal })).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('an address that is not public', () => {
  const hosts = [
    '127.0.0.1',
    '[::1]',
    '2130706433',
    '10.0.0.1',
    '169.254.169.254',
    'localhost',
    '[::ffff:127.0.0.1]',
  ];

  it.each(hosts)('is refused: %s', async (host) => {
    await using receiver = await openHttpReceiver();
    const { port } = new URL(receiver.origin);
    const url = `http://${host}:${port}/`;
    const refused = { code: 'url-refused', retry: false };
    for (const settings of [
      { ...webhook(url), url },
      { kind: 'ntfy', server: url, topic: 'topic', token: null },
      { kind: 'healthchecks', url },
      { kind: 'uptime-kuma', url },
    ] satisfies Settings[]) {
      await expect(send(settings, { allowPrivate: false }), settings.kind).rejects.toMatchObject(refused);
    }
    expect(receiver.received).toHaveLength(0);
  });

  it('is refused for mail too, and where a name leads to it', async () => {
    await using receiver = await openSmtpReceiver();
    const refused = { code: 'url-refused' };
    const settings = email(receiver.port);
    await expect(send(settings, { allowPrivate: false })).rejects.toMatchObject(refused);
    const resolveName = async () => ['93.184.216.34', '127.0.0.1'];
    const named = { ...settings, host: 'mail.example.test' };
    await expect(send(named, { allowPrivate: false, resolveName })).rejects.toMatchObject(refused);
    const url = 'http://rebound.example.test/';
    await expect(
      send({ kind: 'healthchecks', url }, { allowPrivate: false, resolveName }),
    ).rejects.toMatchObject(refused);
    expect(receiver.commands).toEqual([]);
  });

  it('is what a machine of a cloud learns its secrets from: refused in any case', async () => {
    for (const address of ['169.254.169.254', '100.100.100.200', '[fd00:ec2::254]', '168.63.129.16']) {
      const sending = send({ kind: 'healthchecks', url: `http://${address}/` }, { timeoutMs: 500 });
      await expect(sending, address).rejects.toMatchObject({ code: 'url-refused' });
    }
  });
});

describe('a mail', () => {
  it('has one line of subject, and a body with what happened and what to do', async () => {
    await using receiver = await openSmtpReceiver();
    const event = sampleEvent('backup.failed');
    const { id, answer } = await send(email(receiver.port), { event });
    expect(answer).toBe('250 Queued as 42');
    const [mail = ''] = receiver.mails;
    expect(mail).toContain('Subject: Backup of shop failed\n');
    expect(mail).toContain('From: Holdfast <holdfast@example.test>\nTo: a@example.test, b@example.test\n');
    expect(mail).toContain(`Message-ID: <${id}@example.test>`);
    expect(mail).toContain('Date: Thu, 01 Jan 2026 00:00:00 +0000');
    expect(mail).toContain('Holdfast-Event: backup.failed');
    expect(plain(mail)).toContain('The volume data is empty.\n\nLook at it.\n');
    expect(plain(mail)).toContain(event.job.id);
    expect(receiver.commands).toContain('RCPT TO:<b@example.test>');
  });

  it('goes with user and password, which no failure tells', async () => {
    const own = { user: 'ops', password: 'a-secret-of-ops' };
    const proof = Buffer.from('\0ops\0a-secret-of-ops').toString('base64');
    {
      await using receiver = await openSmtpReceiver();
      await send(email(receiver.port, own));
      expect(receiver.commands).toContain(`AUTH PLAIN ${proof}`);
    }
    await using receiver = await openSmtpReceiver({ answers: { AUTH: '535 No: a-secret-of-ops' } });
    const error = await send(email(receiver.port, own)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(failed(false));
    expect(inspect(error, { depth: null })).toContain('535 No: …');
    expect(inspect(error, { depth: null })).not.toMatch(/a-secret|AHBzAG/);
    expect(receiver.mails).toEqual([]);
  });

  it.each([
    ['RCPT', '451 Later', true],
    ['RCPT', '550 Nobody of that name', false],
    ['MAIL', '421 Too busy', true],
    ['.', '552 Too large', false],
  ])('that is answered at %s with %s fails; worth another attempt: %s', async (verb, answer, retry) => {
    await using receiver = await openSmtpReceiver({ answers: { [verb]: answer } });
    await expect(send(email(receiver.port))).rejects.toMatchObject({
      ...failed(retry),
      message: expect.stringContaining(answer),
    });
  });

  it('has to be taken in time, and by somebody', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    await expect(send(email(port), { timeoutMs: 100 })).rejects.toMatchObject(failed(true));
    await new Promise((resolve) => silent.close(resolve));
    await expect(send(email(port))).rejects.toMatchObject({
      ...failed(true),
      message: `The connection to 127.0.0.1:${port} failed: ECONNREFUSED.`,
    });
  });

  it('is not sent in the clear where STARTTLS is asked for', async () => {
    await using receiver = await openSmtpReceiver();
    const own = { security: 'starttls', user: 'ops', password: 'a-secret-of-ops' } as const;
    await expect(send(email(receiver.port, own))).rejects.toMatchObject({ code: 'notification-failed' });
    expect(receiver.mails).toEqual([]);
    expect(receiver.commands.join('\n')).not.toContain('AUTH');
  });

  it.each([
    ['nothing', () => {}],
    ['garbage', (socket: Socket) => void socket.write('no TLS at all, and more of it')],
    ['an end', (socket: Socket) => void socket.end()],
    ['a reset', (socket: Socket) => void socket.resetAndDestroy()],
  ])('fails, and no more, where a handshake is answered with %s', async (_what, answer) => {
    const hostile = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('220 hostile ESMTP\r\n');
      socket.on('data', (data) => {
        const text = data.toString('latin1');
        if (text.startsWith('EHLO')) socket.write('250-hostile\r\n250 STARTTLS\r\n');
        else if (text.startsWith('STARTTLS')) socket.write('220 Go on\r\n');
        else answer(socket);
      });
    });
    hostile.listen(0, '127.0.0.1');
    await once(hostile, 'listening');
    const { port } = hostile.address() as AddressInfo;
    for (const security of ['starttls', 'tls'] as const) {
      const sending = send(email(port, { security }), { timeoutMs: 300 });
      await expect(sending).rejects.toMatchObject(failed(true));
    }
    await new Promise((resolve) => hostile.close(resolve));
  });

  it.each(['starttls', 'tls'] as const)('goes over %s, to who proves to be the host', async (security) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-mail-'));
    const [keyPath, certPath] = [join(folder, 'key'), join(folder, 'cert')];
    const names = ['-subj', '/CN=receiver', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...made, '-keyout', keyPath, '-out', certPath, ...names], {
      stdio: 'ignore',
    });
    const [key, cert] = [await readFile(keyPath, 'utf8'), await readFile(certPath, 'utf8')];
    await rm(folder, { recursive: true });
    const isTlsFromStart = security === 'tls';
    await using receiver = await openSmtpReceiver({ certificate: { key, cert }, isTlsFromStart });
    await expect(send(email(receiver.port, { security }))).rejects.toMatchObject({
      ...failed(true),
      message: expect.stringContaining('self-signed certificate'),
    });
    expect(receiver.mails).toEqual([]);
    const usual = getCACertificates('default');
    setDefaultCACertificates([...usual, cert]);
    try {
      await send(email(receiver.port, { security }));
    } finally {
      setDefaultCACertificates(usual);
    }
    expect(receiver.encrypted).toEqual([true]);
  });
});

describe('ntfy', () => {
  const settings = (server: string): SettingsOf<'ntfy'> => ({
    kind: 'ntfy',
    server,
    topic: 'a-secret-topic',
    token: 'a-secret-token',
  });

  it.each([
    ['backup.failed', 4, 'rotating_light'],
    ['vault.nearly-full', 3, 'warning'],
    ['restore.done', 2, 'white_check_mark'],
  ] as const)('gets %s with priority %i', async (name, priority, tag) => {
    await using receiver = await openHttpReceiver({ status: 200, body: '{"topic":"a-secret-topic"}' });
    const event = sampleEvent(name);
    const { answer, message } = await send(settings(receiver.origin), { event });
    expect(answer).not.toContain('a-secret');
    const [got] = receiver.received;
    expect(got).toMatchObject({
      method: 'POST',
      path: '/',
      headers: { authorization: 'Bearer a-secret-token' },
    });
    expect(JSON.parse(got?.body ?? '')).toEqual({
      topic: 'a-secret-topic',
      title: message.subject,
      message: expect.stringContaining(message.message),
      priority,
      tags: [tag, name],
    });
  });

  it('gets no more than it shows as a message', async () => {
    await using receiver = await openHttpReceiver();
    const event = { ...sampleEvent('backup.failed'), error: { code: 'x', message: '€'.repeat(5000) } };
    await send(settings(receiver.origin), { event });
    const { message } = JSON.parse(receiver.received[0]?.body ?? '') as { readonly message: string };
    expect(Buffer.byteLength(message)).toBeLessThan(4096);
  });
});

describe('Healthchecks', () => {
  it.each([
    ['backup.started', '/start'],
    ['backup.succeeded', ''],
    ['backup.failed', '/fail'],
    ['run.missed', '/fail'],
    ['backup.overdue', '/fail'],
    ['test', '/log'],
  ] as const)('is pinged for %s at its URL%s, with the message', async (name, ending) => {
    await using receiver = await openHttpReceiver();
    const event = sampleEvent(name);
    for (const url of [`${receiver.origin}/ping/uuid`, `${receiver.origin}/ping/key/shop/?create=1`]) {
      const { message } = await send({ kind: 'healthchecks', url }, { event });
      expect(receiver.received.at(-1)?.body).toContain(message.subject);
      expect(receiver.received.at(-1)?.body).toContain(message.message);
    }
    expect(receiver.received.map(({ method, path }) => [method, path])).toEqual([
      ['POST', `/ping/uuid${ending}`],
      ['POST', `/ping/key/shop${ending}?create=1`],
    ]);
  });
});

describe('Uptime Kuma', () => {
  it.each([
    ['backup.succeeded', 'up', 'Backup of shop is ready'],
    ['backup.failed', 'down', 'Backup of shop failed: The volume data is empty.'],
  ] as const)('is told %s as %s', async (name, status, text) => {
    await using receiver = await openHttpReceiver({ status: 200, body: '{"ok":true}' });
    const url = `${receiver.origin}/api/push/token?status=up&msg=OK&ping=`;
    const event = sampleEvent(name);
    await send({ kind: 'uptime-kuma' satisfies NotificationKind, url }, { event });
    const [got] = receiver.received;
    const { pathname, searchParams } = new URL(got?.path ?? '', receiver.origin);
    expect([got?.method, pathname]).toEqual(['GET', '/api/push/token']);
    expect(Object.fromEntries(searchParams)).toEqual({ status, msg: text, ping: '' });
  });
});
