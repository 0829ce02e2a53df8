import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEngineProxy } from '../testing/engine-proxy.ts';
import { openTestEngine, type TestEngine } from '../testing/test-engine.ts';
import { freezeContainers } from './freeze-containers.ts';
import { selectFreezeTargets } from './freeze-target.ts';
import { startGuard } from './start-guard.ts';
import { thawContainers } from './thaw-containers.ts';
import { verifyFrozen } from './verify-frozen.ts';

let engine: TestEngine;
const children: ChildProcess[] = [];
beforeEach(async () => {
  engine = await openTestEngine();
});
afterEach(async () => {
  for (const { pid } of children.splice(0)) if (pid !== undefined) killGroup(pid);
  await engine[Symbol.asyncDispose]();
});

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

async function statuses(ids: readonly string[]): Promise<string[]> {
  const inspected = await Promise.all(ids.map((id) => engine.docker.containers.inspect(id)));
  return inspected.map(({ state }) => state.status);
}

async function until(what: () => Promise<boolean> | boolean, timeoutMs = 8000): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs;
  while (!(await what())) {
    if (Date.now() > giveUpAt) throw new Error('It did not come true in time.');
    await delay(20);
  }
}

async function allRun(ids: readonly string[]): Promise<boolean> {
  return (await statuses(ids)).every((status) => status === 'running');
}

function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

interface FreezingProcess {
  readonly pid: number;
  readonly guardPid: number;
  readonly startTicks: string;
  readonly frozen: Promise<void>;
}

/** In a process group of its own, which takes all of it but the guard along when it is killed. */
async function startFreezing(ids: readonly string[], { limitMs = 60_000, host = engine.host } = {}) {
  const program = fileURLToPath(new URL('../testing/freezing-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, host, String(limitMs), ...ids], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const armed = Promise.withResolvers<Pick<FreezingProcess, 'guardPid' | 'startTicks'>>();
  const frozen = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line);
    if (message.frozen === true) frozen.resolve();
    else armed.resolve(message);
  });
  child.once('exit', () => armed.reject(new Error('It ended before its guard was armed.')));
  return { pid: child.pid ?? 0, frozen: frozen.promise, ...(await armed.promise) } satisfies FreezingProcess;
}

test('brings containers back when the server’s whole process group is killed', async () => {
  const ids = [await engine.run(), await engine.run()];
  const pausedBefore = await engine.run();
  const created = await engine.run({ isStarted: false });
  await engine.docker.containers.pause(pausedBefore);
  const server = await startFreezing([...ids, pausedBefore, created]);
  await server.frozen;
  expect(await statuses(ids)).toEqual(['paused', 'paused']);
  killGroup(server.pid);
  await until(() => allRun(ids), 2000);
  expect(await statuses([pausedBefore, created])).toEqual(['paused', 'created']);
  await until(() => !isAlive(server.guardPid));
});

test('brings them back whenever the server dies, also amid pausing', async () => {
  const ids = [await engine.run(), await engine.run()];
  for (const afterMs of [0, 5, 10, 20, 40]) {
    const server = await startFreezing(ids);
    await delay(afterMs);
    killGroup(server.pid);
    await until(() => !isAlive(server.guardPid));
    expect(await statuses(ids)).toEqual(['running', 'running']);
  }
});

test('stays when its session is hung up or interrupted, and thaws when it is terminated', async () => {
  const ids = [await engine.run()];
  const server = await startFreezing(ids);
  await server.frozen;
  process.kill(server.guardPid, 'SIGHUP');
  process.kill(server.guardPid, 'SIGINT');
  await delay(300);
  expect(await statuses(ids)).toEqual(['paused']);
  process.kill(server.guardPid, 'SIGTERM');
  await until(() => allRun(ids), 2000);
});

test('thaws at the deadline while the server lives, and the server learns it', async () => {
  const ids = [await engine.run()];
  const { containers } = engine.docker;
  const targets = await selectFreezeTargets(containers, ids);
  await using guard = await startGuard({
    host: engine.host,
    containers: targets,
    deadlineMs: () => Date.now() + 1500,
  });
  const frozen = await freezeContainers(containers, targets);
  expect(guard.broken.aborted).toBe(false);
  await until(() => guard.broken.aborted);
  expect(guard.broken.reason).toMatchObject({ code: 'freeze-limit-reached' });
  await until(() => allRun(ids), 2000);
  expect(await verifyFrozen(containers, frozen)).toMatchObject({ intact: false });
});

test('ends at once when it is released, and names itself for good', async () => {
  const ids = [await engine.run()];
  const { containers } = engine.docker;
  const targets = await selectFreezeTargets(containers, ids);
  const guard = await startGuard({
    host: engine.host,
    containers: targets,
    deadlineMs: Date.now() + 60_000,
  });
  expect(guard.containers).toEqual(ids);
  expect(readFileSync(`/proc/${guard.pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19]).toBe(
    guard.startTicks,
  );
  const frozen = await freezeContainers(containers, targets);
  await thawContainers(containers, frozen);
  const startedAt = Date.now();
  await guard.release();
  expect(Date.now() - startedAt).toBeLessThan(1500);
  expect(isAlive(guard.pid)).toBe(false);
  expect(guard.broken.aborted).toBe(false);
});

test('thaws on release what was forgotten, and when told or left', async () => {
  const ids = [await engine.run()];
  const { containers } = engine.docker;
  for (const end of ['release', 'thaw', 'leave'] as const) {
    const targets = await selectFreezeTargets(containers, ids);
    const deadlineMs = Date.now() + 60_000;
    const guard = await startGuard({ host: engine.host, containers: targets, deadlineMs });
    await freezeContainers(containers, targets);
    if (end === 'leave') await guard[Symbol.asyncDispose]();
    else await guard[end]();
    expect(await statuses(ids)).toEqual(['running']);
    expect(guard.broken.aborted).toBe(false);
  }
});

test('two guards of the same containers, and a server that thaws beside them, do not disturb each other', async () => {
  const ids = [await engine.run(), await engine.run()];
  const one = await startFreezing(ids);
  await one.frozen;
  const { containers } = engine.docker;
  const inspected = await Promise.all(ids.map((id) => containers.inspect(id)));
  const targets = inspected.map(({ id, state }) => ({ containerId: id, startedAt: state.startedAt }));
  const late = await startGuard({ host: engine.host, containers: targets, deadlineMs: Date.now() + 60_000 });
  expect(late.containers).toEqual([]);
  killGroup(one.pid);
  await Promise.all([thawContainers(containers, targets), late.thaw()]);
  await until(() => !isAlive(one.guardPid));
  expect(await statuses(ids)).toEqual(['running', 'running']);
});

test('leaves alone a container that was started again and paused by somebody else', async () => {
  const ids = [await engine.run(), await engine.run()];
  const [restarted = '', other = ''] = ids;
  const { containers } = engine.docker;
  const server = await startFreezing(ids);
  await server.frozen;
  await containers.unpause(restarted);
  await containers.stop(restarted, { graceSeconds: 0 });
  await containers.start(restarted);
  await containers.pause(restarted);
  killGroup(server.pid);
  await until(() => !isAlive(server.guardPid));
  expect(await statuses([restarted, other])).toEqual(['paused', 'running']);
});

test('goes on trying while Docker cannot be reached', async () => {
  const ids = [await engine.run()];
  const proxy = await openEngineProxy(engine.host, join(engine.folder, 'proxy.sock'));
  const server = await startFreezing(ids, { host: `unix://${proxy.path}` });
  await server.frozen;
  await proxy.close();
  killGroup(server.pid);
  await delay(1500);
  expect(await statuses(ids)).toEqual(['paused']);
  expect(isAlive(server.guardPid)).toBe(true);
  const again = await openEngineProxy(engine.host, proxy.path);
  await until(() => allRun(ids));
  await until(() => !isAlive(server.guardPid));
  await again.close();
});

test('tells why it cannot be armed', async () => {
  const host = `unix://${engine.folder}/none.sock`;
  const starting = startGuard({ host, containers: [], deadlineMs: Date.now() + 1000 });
  await expect(starting).rejects.toMatchObject({ code: 'docker-unreachable' });
});

test('its death is learnt', async () => {
  const ids = [await engine.run()];
  const targets = await selectFreezeTargets(engine.docker.containers, ids);
  await using guard = await startGuard({
    host: engine.host,
    containers: targets,
    deadlineMs: Date.now() + 60_000,
  });
  process.kill(guard.pid, 'SIGKILL');
  await until(() => guard.broken.aborted);
  expect(guard.broken.reason).toMatchObject({ code: 'guard-failed' });
});
