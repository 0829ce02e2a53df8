import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serverFileSchema } from '@holdfast/protocol';
import { freePort } from './free-port.ts';

export interface ServerOptions {
  /** bin/holdfast. */
  readonly program: string;
  readonly dataDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A server, whether it is a process or a container. */
export interface DemoServer {
  readonly url: string;
  readonly wasRunning: boolean;
  /** How its command line is called. */
  readonly command: { readonly program: string; readonly args: readonly string[] };
  /** Where its data is on this machine, and what it calls that place itself. */
  readonly dataDirectory: string;
  readonly reportedDataDirectory: string;
  /** Ends the server if this demo started it; waits until it is gone. */
  end(): Promise<void>;
}

const usualPort = 8420;
const startLimitMs = 30_000;
const endLimitMs = 30_000;

/** The server of this data directory: the one that runs, or a new one that outlives this program. */
export async function findOrStartServer(options: ServerOptions): Promise<DemoServer> {
  const { program, dataDirectory } = options;
  const known = {
    command: { program, args: [] },
    dataDirectory,
    reportedDataDirectory: dataDirectory,
  };
  const running = await answeringServer(options);
  if (running !== undefined) return { ...known, url: running, wasRunning: true, end: async () => {} };

  await mkdir(options.dataDirectory, { recursive: true, mode: 0o700 });
  const logPath = path.join(options.dataDirectory, 'server.log');
  await using log = await open(logPath, 'a', 0o600);
  const listen = options.env.HOLDFAST_LISTEN ?? `127.0.0.1:${await freePort(usualPort)}`;
  const child = spawn(options.program, ['server'], {
    env: { ...options.env, HOLDFAST_LISTEN: listen },
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  child.unref();
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), endLimitMs);
    await ended;
    clearTimeout(killer);
  };
  try {
    await once(child, 'spawn', { signal: options.signal });
    const deadline = performance.now() + startLimitMs;
    for (;;) {
      const started = await answeringServer(options);
      if (started !== undefined) return { ...known, url: started, wasRunning: false, end };
      const isOver = child.exitCode !== null || child.signalCode !== null;
      if (isOver || performance.now() > deadline) {
        throw new Error(
          `The server ${isOver ? 'ended' : 'does not answer'}: see ${logPath}\n${await tail(logPath)}`,
        );
      }
      await delay(100, undefined, { signal: options.signal });
    }
  } catch (error) {
    await end();
    throw error;
  }
}

/** Its address. */
async function answeringServer({ dataDirectory, signal }: ServerOptions): Promise<string | undefined> {
  let contents: string;
  try {
    contents = await readFile(path.join(dataDirectory, 'server.json'), 'utf8');
  } catch {
    return undefined; // not there: no server listens
  }
  try {
    const { url } = serverFileSchema.parse(JSON.parse(contents));
    const timeout = AbortSignal.timeout(3_000);
    const response = await fetch(new URL('/healthz', url), { signal: AbortSignal.any([signal, timeout]) });
    await response.arrayBuffer();
    return response.ok ? url : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined; // left behind by a server that was killed, or being written
  }
}

async function tail(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).split('\n').slice(-12).join('\n').trim();
}
