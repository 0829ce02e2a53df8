import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngineProxy } from '../testing/engine-proxy.ts';
import { openTestEngine, type TestEngine } from '../testing/test-engine.ts';
import { connectDocker } from './connect-docker.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine();
});
afterAll(() => engine[Symbol.asyncDispose]());

describe('connecting', () => {
  test('tells about the engine', async () => {
    await engine.docker.ping();
    const info = await engine.docker.info();
    expect(info).toMatchObject({ os: 'linux', cgroupVersion: expect.any(Number) });
    expect(info.rootDir).toMatch(/^\//);
    expect(info.id).not.toBe('');
    expect(engine.docker.apiVersion).toMatch(/^1\.\d+$/);
  });

  test('says that there is no socket', async () => {
    const host = `unix://${engine.folder}/none.sock`;
    await expect(connectDocker({ host })).rejects.toMatchObject({
      code: 'docker-unreachable',
      message: expect.stringContaining(host),
      hint: expect.stringContaining('DOCKER_HOST'),
      context: { systemCode: 'ENOENT' },
    });
  });

  test('refuses a host that it cannot speak to', async () => {
    for (const host of [
      'ssh://root@10.0.0.1',
      'https://10.0.0.1:2376',
      'unix://',
      'unix://relative',
      '/var/run/docker.sock',
    ]) {
      await expect(connectDocker({ host })).rejects.toMatchObject({ code: 'configuration-invalid' });
    }
  });

  test('stops waiting for an engine that does not answer when the signal fires', async () => {
    const path = join(engine.folder, 'silent.sock');
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    const connecting = connectDocker({ host: `unix://${path}`, signal: AbortSignal.timeout(50) });
    await expect(connecting).rejects.toMatchObject({ code: 'interrupted' });
    silent.close();
  });
});

describe('containers', () => {
  test('are listed and inspected whatever their state', async () => {
    const running = await engine.run({ labels: { 'a.b': 'c' } });
    const created = await engine.run({ isStarted: false });
    const listed = await engine.docker.containers.list();
    expect(listed.find(({ id }) => id === running)).toMatchObject({
      status: 'running',
      labels: { 'a.b': 'c' },
    });
    expect(listed.find(({ id }) => id === created)).toMatchObject({ status: 'created' });
    const only = await engine.docker.containers.list({ labels: ['a.b=c'] });
    expect(only.map(({ id }) => id)).toEqual([running]);
    expect(await engine.docker.containers.inspect(running)).toMatchObject({
      id: running,
      name: expect.stringContaining(engine.tag),
      image: engine.image,
      imageId: expect.stringMatching(/^sha256:/),
      restartPolicy: { name: 'no' },
      state: { running: true, paused: false, status: 'running' },
    });
  });

  test('that do not exist are unknown', async () => {
    const unknown = { code: 'container-unknown', kind: 'not-found' };
    const { containers } = engine.docker;
    await expect(containers.inspect('nobody')).rejects.toMatchObject(unknown);
    await expect(containers.pause('nobody')).rejects.toMatchObject(unknown);
    await expect(containers.readFile('nobody', '/etc/passwd')).rejects.toMatchObject(unknown);
    await expect(containers.changes('nobody')[Symbol.asyncIterator]().next()).rejects.toMatchObject(unknown);
    await expect(containers.exec('nobody', { command: ['true'], timeoutMs: 1000 })).rejects.toMatchObject(
      unknown,
    );
  });

  test('stop, start and keep a restart policy that was changed and put back', async () => {
    const id = await engine.run({ restart: 'unless-stopped' });
    const { containers } = engine.docker;
    const { restartPolicy } = await containers.inspect(id);
    await containers.setRestartPolicy(id, { name: 'no', maximumRetryCount: 0 });
    expect((await containers.inspect(id)).restartPolicy.name).toBe('no');
    await containers.stop(id, { graceSeconds: 1 });
    await containers.stop(id, { graceSeconds: 1 });
    expect((await containers.inspect(id)).state.status).toBe('exited');
    await containers.start(id);
    await containers.start(id);
    await containers.setRestartPolicy(id, restartPolicy);
    expect((await containers.inspect(id)).restartPolicy).toEqual({
      name: 'unless-stopped',
      maximumRetryCount: 0,
    });
  });

  test('tell why the engine refuses', async () => {
    const id = await engine.run();
    await expect(engine.docker.containers.unpause(id)).rejects.toMatchObject({
      code: 'docker-refused',
      context: { engineMessage: expect.stringContaining('not paused') },
    });
  });

  test('give single files, also stopped ones', async () => {
    const id = await engine.run({
      command: ['sh', '-c', 'head -c 300000 /dev/zero > /big; echo hi > /small'],
    });
    await delay(500);
    const { containers } = engine.docker;
    const file = await containers.readFile(id, '/small');
    expect(file?.content.toString()).toBe('hi\n');
    expect((await containers.readFile(id, '/big'))?.content.length).toBe(300_000);
    expect(await containers.readFile(id, '/none')).toBeUndefined();
    await expect(containers.readFile(id, '/big', { maxBytes: 1000 })).rejects.toMatchObject({
      code: 'docker-refused',
    });
    await expect(containers.readFile(id, '/bin')).rejects.toMatchObject({ code: 'docker-refused' });
  });
});

describe('exec', () => {
  test('runs a command with input, both outputs and an exit code', async () => {
    const id = await engine.run();
    await using session = await engine.docker.containers.exec(id, {
      command: ['sh', '-c', 'cat; echo "$GREETING" >&2; exit 7'],
      environment: ['GREETING=hello'],
      timeoutMs: 10_000,
    });
    const outputs = Promise.all([text(session.stdout), text(session.stderr)]);
    session.stdin.end('through and through');
    expect(await outputs).toEqual(['through and through', 'hello\n']);
    expect(await session.exitCode).toBe(7);
  });

  test('passes megabytes unharmed, as fast as they are read', async () => {
    const id = await engine.run();
    await using session = await engine.docker.containers.exec(id, {
      command: ['sh', '-c', 'head -c 8000000 /dev/zero'],
      timeoutMs: 20_000,
    });
    session.stdin.end();
    session.stderr.resume();
    await delay(300);
    expect(session.stdout.readableLength).toBeLessThan(500_000);
    let bytes = 0;
    for await (const chunk of session.stdout) bytes += chunk.length;
    expect(bytes).toBe(8_000_000);
    expect(await session.exitCode).toBe(0);
  });

  test('ends when the time is over, when the signal fires, and when it is left', async () => {
    const id = await engine.run();
    const command = ['sleep', '100'];
    const slow = await engine.docker.containers.exec(id, { command, timeoutMs: 100 });
    await expect(text(slow.stdout)).rejects.toMatchObject({ code: 'command-timeout' });
    await expect(slow.exitCode).rejects.toMatchObject({ code: 'command-timeout' });
    const signal = AbortSignal.timeout(100);
    const cancelled = await engine.docker.containers.exec(id, { command, timeoutMs: 9000, signal });
    await expect(cancelled.exitCode).rejects.toMatchObject({ code: 'interrupted' });
    const left = await engine.docker.containers.exec(id, { command, timeoutMs: 9000 });
    await left[Symbol.asyncDispose]();
    await expect(left.exitCode).rejects.toMatchObject({ code: 'interrupted' });
  });

  test('is refused in a paused container', async () => {
    const id = await engine.run();
    await engine.docker.containers.pause(id);
    const refused = engine.docker.containers.exec(id, { command: ['true'], timeoutMs: 1000 });
    await expect(refused).rejects.toMatchObject({ code: 'docker-refused' });
  });
});

test('volumes are created by name, listed, and removed', async () => {
  const name = `${engine.tag}-life`;
  const { volumes } = engine.docker;
  await volumes.create({ name, driver: 'local', labels: { 'com.docker.compose.volume': 'x' }, options: {} });
  expect(await volumes.inspect(name)).toMatchObject({ labels: { 'com.docker.compose.volume': 'x' } });
  expect((await volumes.list()).map((volume) => volume.name)).toContain(name);
  await volumes.remove(name);
  await expect(volumes.inspect(name)).rejects.toMatchObject({ code: 'volume-unknown' });
  await expect(volumes.remove(name)).rejects.toMatchObject({ code: 'volume-unknown' });
});

test('events are told from the moment on that listening began, until the signal fires', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  await using events = await engine.docker.openEvents({ types: ['container'], signal });
  const id = await engine.run();
  const seen: string[] = [];
  const listening = (async () => {
    for await (const event of events) {
      if (event.id === id) seen.push(event.action);
      if (event.action === 'start') controller.abort();
    }
  })();
  await expect(listening).rejects.toMatchObject({ code: 'interrupted' });
  expect(seen).toEqual(['create', 'start']);
});

test('events end with an error when the engine goes away', async () => {
  const proxy = await openEngineProxy(engine.host, join(engine.folder, 'events.sock'));
  const docker = await connectDocker({ host: `unix://${proxy.path}` });
  await using events = await docker.openEvents({ types: ['none'] });
  const listening = Array.fromAsync(events);
  await Promise.all([
    expect(listening).rejects.toMatchObject({ code: 'docker-unreachable', retry: true }),
    delay(100).then(() => proxy.close()),
  ]);
});

test('a call fails that the engine breaks off', async () => {
  const proxy = await openEngineProxy(engine.host, join(engine.folder, 'cut.sock'));
  const docker = await connectDocker({ host: `unix://${proxy.path}` });
  const id = await engine.run();
  const stopping = docker.containers.exec(id, { command: ['sleep', '100'], timeoutMs: 20_000 });
  const session = await stopping;
  await proxy.close();
  await expect(session.exitCode).rejects.toMatchObject({ code: 'docker-unreachable' });
});
