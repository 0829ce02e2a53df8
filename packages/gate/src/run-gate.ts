import type { Server } from 'node:net';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import { ControlServer } from './control-server.ts';
import { Gate } from './gate.ts';
import type { GateSettings } from './gate-flags.ts';
import { HttpGate } from './http-gate.ts';
import { TcpGate } from './tcp-gate.ts';

/** A request that waits has its head in memory and nothing else; there are not many with more than 64 KiB. */
const bytesPerWaiting = 64 * 1024;
const defaultHttpPort = 80;

export interface RunningGate extends AsyncDisposable {
  readonly gate: Gate;
  readonly port: number;
}

/** @throws HoldfastError `gate-unreachable` when it cannot listen */
export async function runGate({ listen, target, socket, waiting }: GateSettings): Promise<RunningGate> {
  const gate = new Gate({ waiting, waitingBytes: waiting * bytesPerWaiting });
  const front =
    target.protocol === 'http:'
      ? new HttpGate({ gate, target })
      : new TcpGate({ gate, target: { host: hostOf(target), port: Number(target.port || defaultHttpPort) } });
  await listenOn(front.server, listen);
  const control = await listening(ControlServer.listen(socket, gate), socket);
  const address = front.server.address();
  return {
    gate,
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    async [Symbol.asyncDispose]() {
      gate.release('stopped');
      front.close();
      await control[Symbol.asyncDispose]();
    },
  };
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

async function listenOn(server: Server, { host, port }: GateSettings['listen']): Promise<void> {
  const started = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  await listening(started, `port ${port}`);
}

async function listening<Result>(starting: Promise<Result>, where: string): Promise<Result> {
  try {
    return await starting;
  } catch (error) {
    throw new HoldfastError(
      'gate-unreachable',
      `The gate cannot listen on ${where} (${systemErrorCode(error)}).`,
      {
        hint: 'See whether something else listens there, and whether this user may.',
        cause: error,
      },
    );
  }
}
