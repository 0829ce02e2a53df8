import { fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestEngine, type TestEngine } from '../testing/test-engine.ts';
import { type CommandOptions, killLeftCommands, startCommand } from './run-command.ts';

let engine: TestEngine;
let container: string;

beforeAll(async () => {
  engine = await openTestEngine();
  container = await engine.run();
});

afterAll(() => engine?.[Symbol.asyncDispose]());

async function start(command: string, options: Partial<CommandOptions> = {}) {
  return await startCommand(engine.docker.containers, container, command, { timeoutMs: 60_000, ...options });
}

async function run(command: string, options: Partial<CommandOptions> = {}) {
  const running = await start(command, options);
  running.stdin.end();
  const output = await text(running.stdout);
  return { output, ...(await running.ended) };
}

/** Command lines of all processes in the container. */
async function processes(): Promise<string> {
  return (await run('for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline; echo; done')).output;
}

describe('a command in a container', () => {
  test('gives its output, its errors, its exit code; and nothing of the wrapper’s', async () => {
    const { output, errors, exitCode, durationMs } = await run('echo out; echo err >&2; exit 7');
    expect({ output, errors, exitCode }).toEqual({ output: 'out\n', errors: 'err\n', exitCode: 7 });
    expect(durationMs).toBeGreaterThan(0);
  });

  test('reads standard input, has the variables, and may be ended by a signal', async () => {
    const running = await start('cat; printf %s "$WHO"', { environment: ['WHO=me'] });
    running.stdin.end('in, ');
    expect(await text(running.stdout)).toBe('in, me');
    expect((await run('kill -TERM $$')).exitCode).toBe(143);
  });

  test('streams more than memory holds, at the reader’s pace', async () => {
    const running = await start('dd if=/dev/zero bs=1M count=300 2>/dev/null');
    running.stdin.end();
    let bytes = 0;
    for await (const piece of running.stdout) bytes += (piece as Buffer).length;
    expect(bytes).toBe(300 * 1024 * 1024);
    expect((await running.ended).exitCode).toBe(0);
  });

  test('that takes too long is killed with all that it started, before its input ends', async () => {
    const running = await start('sleep 777 & cat >/dev/null; touch /tmp/took-it-for-complete', {
      timeoutMs: 700,
    });
    running.stdin.write('half of it');
    running.stdout.resume();
    await expect(running.ended).rejects.toMatchObject({ code: 'command-timeout' });
    expect(await processes()).not.toContain('sleep 777');
    expect((await run('test -e /tmp/took-it-for-complete')).exitCode).toBe(1);
  });

  test('is killed when the signal fires, or when it is left', async () => {
    const controller = new AbortController();
    const first = await start('sleep 778', { signal: controller.signal });
    controller.abort();
    await expect(first.ended).rejects.toMatchObject({ code: 'interrupted' });
    const second = await start('sleep 779');
    await second[Symbol.asyncDispose]();
    await expect(second.ended).rejects.toMatchObject({ code: 'interrupted' });
    expect(await processes()).not.toMatch(/sleep 77[89]/);
  });

  test('that leaves something behind which holds its output is told, and that is killed', async () => {
    const running = await start('sleep 776 & echo begun');
    running.stdout.resume();
    await expect(running.ended).rejects.toMatchObject({ code: 'command-left-running' });
    expect(await processes()).not.toContain('sleep 776');
  });

  test('whose container dies ends with it', async () => {
    const other = await engine.run();
    const running = await startCommand(engine.docker.containers, other, 'sleep 775', { timeoutMs: 60_000 });
    running.stdout.resume();
    await delay(100);
    await engine.docker.containers.stop(other, { graceSeconds: 0 });
    const end = await running.ended.catch((error: unknown) => error);
    expect(end).toSatisfy(
      (it: { code?: string; exitCode?: number }) => it.code !== undefined || it.exitCode !== 0,
    );
  });

  test('with a guarded input sees its end when all of it was confirmed', async () => {
    const running = await start('cat', { guardsInput: true });
    running.stdin.write('all ');
    const output = text(running.stdout);
    running.stdin.write('of it');
    await running.completeInput();
    expect(await output).toBe('all of it');
    expect(await running.ended).toMatchObject({ exitCode: 0, errors: '' });
    expect(await processes()).not.toContain('sleep 60');
  });

  test('with a guarded input may end before it read all of that', async () => {
    const running = await start('head -c 3; exit 4', { guardsInput: true });
    running.stdin.write(Buffer.alloc(1024 * 1024, 'a'));
    const output = text(running.stdout);
    await running.completeInput();
    expect(await output).toBe('aaa');
    expect((await running.ended).exitCode).toBe(4);
  });

  test('whose feeder dies never sees the end of its input', async () => {
    const feeder = fork(new URL('../testing/feed-and-wait.ts', import.meta.url), [
      engine.host,
      container,
      'cat >/dev/null; touch /tmp/took-the-rest-for-all',
    ]);
    await once(feeder, 'message');
    feeder.kill('SIGKILL');
    await once(feeder, 'exit');
    await delay(500);
    expect(await processes()).toContain('took-the-rest-for-all');
    expect(await killLeftCommands(engine.docker.containers, container)).toBe(1);
    expect(await killLeftCommands(engine.docker.containers, container)).toBe(0);
    expect((await run('test -e /tmp/took-the-rest-for-all')).exitCode).toBe(1);
    expect(await processes()).not.toContain('sleep 60');
  });

  test('whose input breaks off inside the container never sees an end of it', async () => {
    const running = await start('head -c 99 >/dev/null; touch /tmp/took-the-half-for-all', {
      guardsInput: true,
    });
    running.stdin.write('half of it');
    running.stdout.resume();
    await run(
      'for p in /proc/[0-9]*; do [ "$(tr "\\0" " " <$p/cmdline)" = "cat " ] && kill -9 "$(basename "$p")"; done',
    );
    expect((await running.ended).exitCode).not.toBe(0);
    expect((await run('test -e /tmp/took-the-half-for-all')).exitCode).toBe(1);
  });

  test('cannot be started where nothing runs', async () => {
    const stopped = await engine.run({ isStarted: false });
    const starting = startCommand(engine.docker.containers, stopped, 'true', { timeoutMs: 60_000 });
    await expect(starting).rejects.toMatchObject({ kind: expect.stringMatching(/failed|not-possible/) });
  });
});
