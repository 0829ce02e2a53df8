import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type GateCommand, type GateEvent, gateEventSchema } from '@holdfast/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlServer } from './control-server.ts';
import { Gate } from './gate.ts';

let directory: string;
let path: string;
let gate: Gate;
let server: ControlServer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-'));
  path = join(directory, 'gate.sock');
  gate = new Gate({ waiting: 10, waitingBytes: 1_000_000 });
  server = await ControlServer.listen(path, gate);
});

afterEach(async () => {
  gate.release('stopped');
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

class Steering {
  readonly socket: Socket;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    this.socket = connect(path);
    this.#lines = createInterface({ input: this.socket })[Symbol.asyncIterator]();
  }

  send(command: GateCommand): void {
    this.socket.write(`${JSON.stringify(command)}\n`);
  }

  async next(): Promise<GateEvent> {
    const { value } = await this.#lines.next();
    return gateEventSchema.parse(JSON.parse(value ?? 'null'));
  }
}

describe('a gate is steered', () => {
  it('to hold and to release', async () => {
    const steering = new Steering();
    steering.send({ type: 'status' });
    expect(await steering.next()).toEqual({ type: 'status', state: 'open', inFlight: 0, waiting: 0 });
    steering.send({ type: 'hold', limitMs: 60_000, drainMs: 0 });
    expect(await steering.next()).toEqual({ type: 'held', inFlight: 0 });
    steering.send({ type: 'release' });
    expect(await steering.next()).toMatchObject({ type: 'released', report: { reason: 'told' } });
    steering.socket.destroy();
  });

  it('by one at a time, whose going away releases', async () => {
    const [first, second] = [new Steering(), new Steering()];
    first.send({ type: 'hold', limitMs: 60_000, drainMs: 0 });
    expect((await first.next()).type).toBe('held');
    second.send({ type: 'hold', limitMs: 60_000, drainMs: 0 });
    expect(await second.next()).toMatchObject({ type: 'failed', error: { code: 'gate-busy' } });
    second.send({ type: 'release' });
    expect(await second.next()).toMatchObject({ type: 'failed' });
    first.socket.destroy();
    while (gate.status.state !== 'open') await new Promise((resolve) => setTimeout(resolve, 5));
    second.send({ type: 'hold', limitMs: 30, drainMs: 0 });
    expect((await second.next()).type).toBe('held');
    expect(await second.next()).toMatchObject({ type: 'released', report: { reason: 'limit' } });
    second.socket.destroy();
  });

  it('and says what it does not understand', async () => {
    const steering = new Steering();
    for (const line of ['', 'hold', '{"type":"hold"}', '{"type":"hold","limitMs":-1,"drainMs":0}', '[]']) {
      steering.socket.write(`${line}\n`);
      expect(await steering.next()).toMatchObject({ type: 'failed', error: { code: 'usage-invalid' } });
    }
  });

  it('and ends the connection of somebody who never ends a line', async () => {
    const steering = new Steering();
    steering.send({ type: 'hold', limitMs: 60_000, drainMs: 0 });
    expect((await steering.next()).type).toBe('held');
    steering.socket.on('error', () => {});
    steering.socket.write('x'.repeat(100_000));
    await new Promise<void>((resolve) => steering.socket.once('close', () => resolve()));
    expect(gate.status.state).toBe('open');
  });
});
