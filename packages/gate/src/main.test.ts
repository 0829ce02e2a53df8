import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { App } from './testing/app.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const node = ['--disable-warning=ExperimentalWarning', main];

let directory: string;
let socket: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-'));
  socket = join(directory, 'gate.sock');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function start(...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [...node, '--socket', socket, ...args]);
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: stream });
  const [line] = await once(lines, 'line');
  return String(line);
}

describe('holdfast gate', () => {
  it('runs, is steered from beside it, and stops when told', async () => {
    await using app = await App.start((_, response) => response.end('hello'));
    const gate = start('--to', app.url.href, '--listen', '127.0.0.1:0');
    const started = await firstLine(gate.stderr);
    expect(started).toMatch(/^The gate before http:\/\/127\.0\.0\.1:\d+\/ listens on port \d+\.$/);
    const url = `http://127.0.0.1:${/(\d+)\.$/.exec(started)?.[1]}/`;
    expect(await (await fetch(url)).text()).toBe('hello');

    const control = start('control');
    const events = createInterface({ input: control.stdout })[Symbol.asyncIterator]();
    control.stdin.write('{"type":"hold","limitMs":60000,"drainMs":0}\n');
    expect(JSON.parse((await events.next()).value ?? '')).toEqual({ type: 'held', inFlight: 0 });
    const asked = fetch(url);
    control.stdin.write('{"type":"status"}\n');
    expect(JSON.parse((await events.next()).value ?? '')).toMatchObject({ type: 'status', state: 'holding' });
    // Whoever steers is gone.
    control.stdin.end();
    expect(await (await asked).text()).toBe('hello');
    expect(await once(control, 'exit')).toEqual([0, null]);

    gate.kill('SIGTERM');
    expect(await once(gate, 'exit')).toEqual([0, null]);
  });

  it('explains itself', () => {
    const { status, stdout } = spawnSync(process.execPath, [...node, '--help'], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('--to URL');
  });

  it.each([
    [[], 'It is not said what the gate stands before.'],
    [['--to', 'https://app'], 'neither http://'],
    [['--to', 'http://app/path'], 'neither http://'],
    [['--to', 'tcp://db'], 'neither http://'],
    [['--to', 'http://app', '--listen', 'here'], 'is no port'],
    [['--to', 'http://app', '--waiting', '0'], 'is no number of requests'],
    [['open'], 'There is no "open".'],
    [['--wrong'], "Unknown option '--wrong'"],
  ])('refuses %j', (args, message) => {
    const { status, stderr } = spawnSync(process.execPath, [...node, ...args], { encoding: 'utf8', env: {} });
    expect(stderr).toContain(message);
    expect(stderr).toContain('error[usage-invalid]');
    expect(status).toBe(2);
  });

  it('says that there is no gate to steer, and that it cannot listen', () => {
    const control = spawnSync(process.execPath, [...node, 'control', '--socket', socket], {
      encoding: 'utf8',
    });
    expect(control).toMatchObject({ status: 1, stderr: expect.stringContaining('error[gate-unreachable]') });
    const args = [...node, '--to', 'http://app', '--listen', '192.0.2.1:1', '--socket', socket];
    const gate = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(gate).toMatchObject({ status: 1, stderr: expect.stringContaining('EADDRNOTAVAIL') });
  });
});
