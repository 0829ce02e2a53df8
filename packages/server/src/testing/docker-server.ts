import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '@holdfast/base';
import { type Client, createClient, isJobOver, type Job, serverFileSchema } from '@holdfast/protocol';
import { temporaryDirectory } from './temporary-directory.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** A real server process on the engine of DOCKER_HOST, in a data directory of its own, which can be killed. */
export interface DockerServer extends AsyncDisposable {
  readonly dataDirectory: string;
  readonly client: Client;
  start(): Promise<void>;
  /** SIGKILL, to the server alone: not to its movers and guards. */
  kill(): Promise<void>;
  /** SIGTERM; answers the exit status. */
  stop(): Promise<number | null>;
  /** To every mover of this server: `SIGKILL`, or `SIGSTOP` and `SIGCONT` to hold the work where it is. */
  signalMovers(signal: NodeJS.Signals): void;
  /** Of the movers that run, the oldest first. */
  moverPids(): readonly number[];
  ended(job: Pick<Job, 'id'>): Promise<Job>;
  /** Waits until the job is at this step. */
  reaches(job: Pick<Job, 'id'>, step: string): Promise<void>;
}

export async function openDockerServer(flags: readonly string[] = []): Promise<DockerServer> {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  let child: ChildProcess | undefined;
  let client: Client | undefined;

  async function start(): Promise<void> {
    const own = ['--listen', '127.0.0.1:0', '--schedules', 'off'];
    const args = [main, '--data', directory.path, ...own, ...flags];
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    child = started;
    const path = join(directory.path, 'server.json');
    for (;;) {
      if (started.exitCode !== null) throw new Error(`The server ended with status ${started.exitCode}.`);
      const file = existsSync(path) ? serverFileSchema.safeParse(readJson(path)).data : undefined;
      if (file?.pid === started.pid && file !== undefined) {
        const token = readFileSync(join(directory.path, 'token'), 'utf8').trim();
        client = createClient({ url: file.url, token });
        return;
      }
      await sleep(20);
    }
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [status] = await exited;
    return typeof status === 'number' ? status : null;
  }

  function currentClient(): Client {
    if (client === undefined) throw new Error('The server was not started.');
    return client;
  }

  async function get({ id }: Pick<Job, 'id'>): Promise<Job> {
    return await currentClient().call('job.get', { params: { job: id } });
  }

  await start();
  stack.defer(async () => void (await end('SIGTERM')));
  return {
    dataDirectory: directory.path,
    get client() {
      return currentClient();
    },
    start,
    kill: async () => void (await end('SIGKILL')),
    stop: async () => await end('SIGTERM'),
    signalMovers: (signal) => {
      for (const pid of moversOf(directory.path)) process.kill(pid, signal);
    },
    moverPids: () => moversOf(directory.path),
    ended: async (job) => {
      for (;;) {
        const now = await get(job);
        if (isJobOver(now.state)) return now;
        await sleep(20);
      }
    },
    reaches: async (job, step) => {
      for (;;) {
        const now = await get(job);
        if (now.step === step) return;
        if (isJobOver(now.state)) throw new Error(`The job ended before "${step}": ${JSON.stringify(now)}`);
        await sleep(5);
      }
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

/** By their event files. */
function moversOf(dataDirectory: string): readonly number[] {
  const folder = join(dataDirectory, 'tasks');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted((a, b) => statSync(join(folder, a)).birthtimeMs - statSync(join(folder, b)).birthtimeMs)
    .flatMap((name) => {
      const pid = /"pid":(\d+)/.exec(readFileSync(join(folder, name), 'utf8'))?.[1];
      return pid === undefined || !existsSync(`/proc/${pid}`) ? [] : [Number(pid)];
    });
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
