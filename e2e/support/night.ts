import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BackupSummary, Job } from '@holdfast/protocol';
import { ComposeProject } from './compose.ts';
import { Holdfast } from './holdfast.ts';
import { OwnEngine } from './own-engine.ts';
import { eventually } from './process.ts';

const serverByClock = fileURLToPath(new URL('server-by-clock.ts', import.meta.url));
const node = process.execPath;
/** As `bin/holdfast` runs it. */
const nodeOptions = ['--max-semi-space-size=4', '--heap-growing-percent=30'];

/** Two that run, and some that wait for them. */
const mostUnfinished = 5;

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/**
 * A server that follows schedules, by a clock that the test puts forward, for stacks of its own: of all that the engine has, it
 * sees nothing else. All is in UTC.
 */
export class Night implements AsyncDisposable {
  readonly holdfast: Holdfast;
  readonly #mark: string;
  readonly #folder: string;
  readonly #engine: OwnEngine;
  readonly #stacks: ComposeProject[] = [];
  #aheadMs = 0;

  private constructor(mark: string, folder: string, engine: OwnEngine) {
    this.#mark = mark;
    this.#folder = folder;
    this.#engine = engine;
    const env = {
      HOLDFAST_DOCKER_HOST: `unix://${engine.path}`,
      HOLDFAST_SCHEDULES: 'on',
      HOLDFAST_TIMEZONE: 'UTC',
      NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
    };
    const words = [node, ...nodeOptions, serverByClock, this.#clockFile] as const;
    this.holdfast = new Holdfast(env, undefined, words);
  }

  /** At half past midnight, of a day to come: the nights' backups begin at one. */
  static async begin(): Promise<Night> {
    const mark = `night-${randomUUID().slice(0, 8)}`;
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-night-'));
    const engine = await OwnEngine.open(join(folder, 'docker.sock'), `night=${mark}`);
    const night = new Night(mark, folder, engine);
    const tomorrow = (Math.floor(Date.now() / dayMs) + 1) * dayMs;
    night.setTo(tomorrow + hourMs / 2);
    await night.holdfast.startServer();
    return night;
  }

  get #clockFile(): string {
    return join(this.#folder, 'ahead');
  }

  get nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Half past midnight of the day of `nowMs`. */
  get beginMs(): number {
    return Math.floor(this.nowMs / dayMs) * dayMs + hourMs / 2;
  }

  /** What stock restic opens all repositories of the vault with. */
  recoveryKeyFile(vault: string): string {
    return join(this.holdfast.dataDirectory, 'recovery', `${vault}.key`);
  }

  /** Never back. */
  setTo(nowMs: number): void {
    const aheadMs = nowMs - Date.now();
    if (aheadMs < this.#aheadMs) throw new Error('The clock goes forward only.');
    this.#aheadMs = aheadMs;
    writeFileSync(`${this.#clockFile}.new`, String(Math.round(aheadMs)));
    renameSync(`${this.#clockFile}.new`, this.#clockFile);
  }

  /**
   * Puts the clock forward step by step, with time for the server to look at it, until the probe says so. As long as many jobs wait,
   * it goes on as all clocks do: how fast this machine is, is no part of the night.
   */
  async until(
    what: string,
    isSo: () => Promise<boolean> | boolean,
    { stepMs = 15 * minuteMs, everyMs = 1000, endMs = this.beginMs + dayMs - hourMs } = {},
  ): Promise<void> {
    while (!(await isSo())) {
      if (this.nowMs + stepMs > endMs) {
        await eventually(what, isSo, 180_000);
        return;
      }
      if ((await this.unfinished()).length <= mostUnfinished) this.setTo(this.nowMs + stepMs);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  /** Some stacks more, each with its files written; a few of them are made at once. */
  async addStacks(count: number, variables: Readonly<Record<string, string>> = {}): Promise<string[]> {
    const added = Array.from({ length: count }, (_, index) => {
      const stack = new ComposeProject('night', `${this.#mark}-${this.#stacks.length + index + 1}`);
      const lines = Object.entries({ NIGHT: this.#mark, ...variables }).map((pair) => pair.join('='));
      writeFileSync(join(stack.folder, '.env'), `${lines.join('\n')}\n`);
      return stack;
    });
    this.#stacks.push(...added);
    await eachOf(added, async (stack) => {
      await stack.compose('up', '--detach');
      await eventually('its files are written', async () => {
        return (await stack.tryCompose('exec', '-T', 'app', 'test', '-e', '/files/ready')).status === 0;
      });
    });
    const names = added.map(({ name }) => name);
    await eventually('the server knows them', async () => {
      const { environments } = await this.holdfast.client().call('environment.list', {});
      return names.every((name) => environments.some((environment) => environment.name === name));
    });
    return names;
  }

  /** From now on, or no longer, its backups fail. */
  async breakStack(name: string, isBroken: boolean): Promise<void> {
    const stack = this.#stacks.find((each) => each.name === name);
    await stack?.sh('app', isBroken ? 'touch /files/broken' : 'rm /files/broken');
  }

  /** Newest first. */
  async backups(environment?: string): Promise<readonly BackupSummary[]> {
    const query = { limit: 1000, ...(environment === undefined ? {} : { environment }) };
    return (await this.holdfast.client().call('backup.list', { query })).backups;
  }

  async jobs(): Promise<readonly Job[]> {
    return (await this.holdfast.client().call('job.list', { query: { limit: 1000 } })).jobs;
  }

  async unfinished(): Promise<readonly Job[]> {
    return (await this.jobs()).filter(({ state }) => state === 'queued' || state === 'running');
  }

  /** No job is under way: what stock restic reads then, nobody changes. */
  async untilQuiet(): Promise<void> {
    await eventually('every job is over', async () => (await this.unfinished()).length === 0, 180_000);
  }

  /** The most memory that the server ever had, in MiB. */
  serverPeakMiB(): number {
    const status = readFileSync(`/proc/${this.holdfast.serverPid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.holdfast[Symbol.asyncDispose]();
    await eachOf(this.#stacks, async (stack) => await stack[Symbol.asyncDispose]());
    await this.#engine[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The most jobs that ran at the same moment. */
export function mostAtOnce(jobs: readonly Job[]): number {
  const changes = jobs
    .flatMap(({ startedAtMs, finishedAtMs }) => [
      ...(startedAtMs === null ? [] : [{ atMs: startedAtMs, by: 1 }]),
      ...(startedAtMs === null || finishedAtMs === null ? [] : [{ atMs: finishedAtMs, by: -1 }]),
    ])
    .sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  let running = 0;
  return Math.max(0, ...changes.map(({ by }) => (running += by)));
}

/** Four at a time. */
export async function eachOf<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const worker = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}
