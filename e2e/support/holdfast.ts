import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Backup, backupSchema, type Client, createClient, serverFileSchema } from '@holdfast/protocol';
import { eventually, type Finished, mustRun, type RunOptions, run, start } from './process.ts';

const program = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));

type ServerWords = readonly [string, ...string[]];

/** One installation of Holdfast in a data directory of its own, used from outside: by its command and its API. */
export class Holdfast implements AsyncDisposable {
  readonly dataDirectory: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #serverWords: ServerWords;
  #server: ChildProcess | undefined;
  #serverLog = '';

  /** Its data directory is made in `folder`; `serverWords` run its server. */
  constructor(
    env: Readonly<Record<string, string | undefined>> = {},
    folder = tmpdir(),
    serverWords: ServerWords = [program, 'server'],
  ) {
    this.#serverWords = serverWords;
    this.dataDirectory = mkdtempSync(join(folder, 'holdfast-e2e-'));
    // What is backed up by itself at night would be in the way of what a test does.
    const own = { HOLDFAST_LISTEN: '127.0.0.1:0', HOLDFAST_SCHEDULES: 'off' };
    this.#env = { HOLDFAST_DATA: this.dataDirectory, ...own, ...env };
  }

  static async start(
    env: Readonly<Record<string, string | undefined>> = {},
    folder?: string,
  ): Promise<Holdfast> {
    const holdfast = new Holdfast(env, folder);
    await holdfast.startServer();
    return holdfast;
  }

  get serverPid(): number {
    const pid = this.#server?.pid;
    if (pid === undefined) throw new Error('The server does not run.');
    return pid;
  }

  get isServerRunning(): boolean {
    return this.#server !== undefined;
  }

  get serverLog(): string {
    return this.#serverLog;
  }

  /** Starts the server in a session of its own, so that a test can kill its whole process group. */
  async startServer(): Promise<void> {
    const [command, ...words] = this.#serverWords;
    const server = start(command, words, { env: { ...process.env, ...this.#env }, detached: true });
    this.#server = server;
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#serverLog = (this.#serverLog + text).slice(-200_000);
    });
    server.stdout?.resume();
    await eventually('the server listens', () => {
      if (server.exitCode !== null) throw new Error(`The server ended: ${this.#serverLog}`);
      return this.#serverFile()?.pid === server.pid;
    });
  }

  async stopServer(): Promise<number | null> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return null;
    const closed = once(server, 'close') as Promise<[number | null]>;
    server.kill('SIGTERM');
    const [status] = await closed;
    return status;
  }

  /** SIGKILL to the server's whole process group, and waits until it is gone. */
  async killServer(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    process.kill(-server.pid, 'SIGKILL');
    await exited;
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return run(program, args, { ...options, env: { ...this.#env, ...options.env } });
  }

  mustRun(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return mustRun(program, args, { ...options, env: { ...this.#env, ...options.env } });
  }

  async createBackup(environment: string, ...args: readonly string[]): Promise<string> {
    return (await this.mustRun(['backup:create', environment, ...args])).trim();
  }

  async getBackup(id: string): Promise<Backup> {
    return backupSchema.parse(JSON.parse(await this.mustRun(['backup:get', id, '--format', 'json'])));
  }

  /** Process ids of the movers that work for this installation now: they have their event file in its directory open. */
  moverPids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .filter((pid) => openFiles(pid).some((path) => path.startsWith(join(this.dataDirectory, 'tasks'))))
      .map(Number)
      .filter((pid) => pid !== this.#server?.pid);
  }

  client(): Client {
    const file = this.#serverFile();
    if (file === undefined) throw new Error('The server does not run.');
    return createClient({ url: file.url, token: this.token() });
  }

  get url(): string {
    const file = this.#serverFile();
    if (file === undefined) throw new Error('The server does not run.');
    return file.url;
  }

  token(): string {
    return readFileSync(join(this.dataDirectory, 'token'), 'utf8').trim();
  }

  /** Stops the server and removes the data directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopServer();
    rmSync(this.dataDirectory, { recursive: true, force: true });
  }

  #serverFile() {
    const path = join(this.dataDirectory, 'server.json');
    if (!existsSync(path)) return undefined;
    const parsed = serverFileSchema.safeParse(parseJson(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  }
}

function openFiles(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`));
  } catch {
    return [];
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
