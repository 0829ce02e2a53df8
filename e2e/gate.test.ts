import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Backup } from '@holdfast/protocol';
import { isJobOver, type Job } from '@holdfast/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeProject, docker, volumeFolder } from './support/compose.ts';
import { Holdfast } from './support/holdfast.ts';
import { eventually } from './support/process.ts';

/** An app that writes a row and a file for each request, behind a gate, while requests never stop. */

const requestsPerSecond = 150;
const environment = 'gated';

let holdfast: Holdfast;
let project: ComposeProject;
let port: number;
let data: string;

beforeAll(async () => {
  process.env.HOLDFAST_CHECKOUT = fileURLToPath(new URL('..', import.meta.url));
  holdfast = await Holdfast.start();
  project = await ComposeProject.up('gated', environment);
  data = await volumeFolder(`${environment}_data`);
  const address = (await docker('port', `${environment}-gate-1`, '8080/tcp')).split('\n')[0] ?? '';
  port = Number(address.slice(address.lastIndexOf(':') + 1));
  await eventually(
    'the app answers',
    async () => (await send('GET').catch(() => undefined))?.text === 'ready',
  );
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await holdfast?.[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 200 });

function send(method: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Sends requests at a steady rate, whether earlier ones were answered or not. */
class SteadyClient {
  readonly answered: number[] = [];
  readonly failures: string[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#sendOne(), 1000 / requestsPerSecond);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  #sendOne(): void {
    const sending = send('POST')
      .then(({ status, text }) => {
        if (status === 200) this.answered.push(Number(text));
        else this.failures.push(`${status} ${text}`);
      })
      .catch((error: unknown) => {
        this.failures.push(String(error));
      })
      .finally(() => this.#open.delete(sending));
    this.#open.add(sending);
  }
}

async function settled({ id }: Job): Promise<Job> {
  return await eventually('the job ends', async () => {
    const job = await holdfast.client().call('job.get', { params: { job: id } });
    return isJobOver(job.state) ? job : undefined;
  });
}

async function backUp(): Promise<Backup> {
  const { job, backupId } = await holdfast.client().call('backup.create', {
    params: { environment },
    body: { code: false },
  });
  expect(await settled(job)).toMatchObject({ state: 'done', error: null });
  return await holdfast.client().call('backup.get', { params: { backup: backupId } });
}

function rows(): number[] {
  return readFileSync(join(data, 'rows'), 'utf8').trimEnd().split('\n').map(Number);
}

function files(): number[] {
  return readdirSync(join(data, 'files')).map(Number);
}

const inOrder = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);

describe('consistent backups of an app behind a gate', () => {
  it('let no request fail, and hold what was answered before: rows and files agree', async () => {
    const client = new SteadyClient();
    await delay(500);
    const backups: { backup: Backup; answeredBefore: number[] }[] = [];
    for (let round = 0; round < 3; round += 1) {
      const answeredBefore = [...client.answered];
      backups.push({ backup: await backUp(), answeredBefore });
    }
    await client.stop();
    expect(client.failures).toEqual([]);
    expect(inOrder(client.answered)).toEqual(inOrder(rows()));
    for (const { backup } of backups) {
      expect(backup).toMatchObject({ mode: 'consistent', status: 'ready' });
      expect(backup.capture?.requestsHeld).toBeGreaterThan(0);
      expect(backup.capture?.longestWaitMs).toBeGreaterThan(0);
    }
    for (const { backup, answeredBefore } of backups.reverse()) {
      const restore = await holdfast
        .client()
        .call('backup.restore', { params: { backup: backup.id }, body: {} });
      expect(await settled(restore.job)).toMatchObject({ state: 'done', error: null });
      const restored = new Set(rows());
      expect(inOrder([...restored])).toEqual(inOrder(files()));
      expect(answeredBefore.filter((id) => !restored.has(id))).toEqual([]);
    }
  });
});

describe('a gate that does not answer', () => {
  it('fails the backup with the reason, and nothing stays paused', async () => {
    await docker('stop', '--time', '1', `${environment}-gate-1`);
    await docker(
      'run',
      '--detach',
      '--name',
      `${environment}-broken-1`,
      '--label',
      'holdfast.gate=true',
      '--label',
      `com.docker.compose.project=${environment}`,
      '--label',
      'com.docker.compose.service=broken',
      'holdfast-test/busybox',
      'sleep',
      '1000',
    );
    try {
      const { job } = await holdfast
        .client()
        .call('backup.create', { params: { environment }, body: { code: false } });
      expect(await settled(job)).toMatchObject({ state: 'failed', error: { code: 'gate-unreachable' } });
      expect(await project.containerState('app')).toBe('running');
    } finally {
      await docker('rm', '--force', `${environment}-broken-1`);
    }
  });
});
