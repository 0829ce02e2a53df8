import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { JobEvent } from '@holdfast/protocol';
import { describe, expect, it } from 'vitest';
import { ProtocolServer } from './testing/protocol-server.ts';
import { sampleBackup, sampleBackupId, sampleBackupSummary, sampleJob } from './testing/samples.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  notes(): string;
  output(): string;
  end(): Promise<{ status: number | null; output: string; notes: string }>;
}

function start(words: readonly string[], server: ProtocolServer, options: { cwd?: string } = {}): Run {
  const env = { ...process.env, HOLDFAST_URL: server.url, HOLDFAST_TOKEN: server.token };
  const child = spawn(process.execPath, [main, ...words], { env, ...options });
  let output = '';
  let notes = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (notes += text));
  const closed = once(child, 'close') as Promise<[number | null]>;
  return {
    child,
    output: () => output,
    notes: () => notes,
    end: async () => {
      const [status] = await closed;
      return { status, output, notes };
    },
  };
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries > 500) throw new Error('it did not happen');
    await delay(20);
  }
}

async function* runningForLong(): AsyncGenerator<JobEvent> {
  yield { type: 'job', job: sampleJob({ state: 'running', step: 'reading files' }) };
  await delay(30_000, undefined, { ref: false });
}

describe('signals while a job is waited for', () => {
  it('the first SIGINT asks to cancel, the second leaves: 130', async () => {
    await using server = await ProtocolServer.start({
      'backup.create': () => ({ job: sampleJob(), backupId: sampleBackupId, replaces: [] }),
      'job.events': runningForLong,
      'job.cancel': () => sampleJob({ cancelRequested: true }),
    });
    const run = start(['backup:create', 'guestbook'], server);
    await until(() => run.notes().includes('reading files'));
    run.child.kill('SIGINT');
    await until(() => server.received.some(({ name }) => name === 'job.cancel'));
    run.child.kill('SIGINT');
    const { status, output, notes } = await run.end();
    expect(status).toBe(130);
    expect(output).toBe('');
    expect(notes).toMatch(/^error\[interrupted\]: Stopped waiting; job job_0123456789abcdef goes on\./m);
  });

  it('SIGTERM leaves without cancelling', async () => {
    await using server = await ProtocolServer.start({
      'backup.create': () => ({ job: sampleJob(), backupId: sampleBackupId, replaces: [] }),
      'job.events': runningForLong,
    });
    const run = start(['backup:create', 'guestbook'], server);
    await until(() => run.notes().includes('reading files'));
    run.child.kill('SIGTERM');
    expect((await run.end()).status).toBe(130);
    expect(server.received.map(({ name }) => name)).not.toContain('job.cancel');
  });

  it('SIGINT ends a call that is not answered', async () => {
    await using server = await ProtocolServer.start({
      'environment.list': async () => {
        await delay(30_000, undefined, { ref: false });
        return { environments: [] };
      },
    });
    const run = start(['environment:list'], server);
    await until(() => server.received.length > 0);
    run.child.kill('SIGINT');
    expect(await run.end()).toEqual({ status: 130, output: '', notes: 'error[interrupted]: Interrupted.\n' });
  });
});

it('a reader that goes away is no failure', async () => {
  await using server = await ProtocolServer.start({
    'backup.list': () => ({ backups: Array.from({ length: 1000 }, () => sampleBackupSummary()), next: null }),
  });
  const run = start(['backup:list', '--all', '--limit', '1000', '--format', 'json'], server);
  run.child.stdout?.once('data', () => run.child.stdout?.destroy());
  const { status, notes } = await run.end();
  expect({ status, notes }).toEqual({ status: 0, notes: '' });
});

it('works in a folder that was removed meanwhile', async () => {
  await using server = await ProtocolServer.start({ 'vault.list': () => ({ vaults: [] }) });
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-gone-'));
  const program = [
    'sh',
    ['-c', `rmdir "$PWD" && exec "$0" "$@"`, process.execPath, main, 'vault:list', '--format', 'json'],
  ] as const;
  const env = { ...process.env, HOLDFAST_URL: server.url, HOLDFAST_TOKEN: server.token };
  const child = spawn(program[0], program[1], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [status] = (await once(child, 'close')) as [number | null];
  expect(status).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

describe('on a terminal', () => {
  /** By script(1), which gives the program a terminal and writes what is shown on it; `typed` when `when` is shown. */
  async function onTerminal(
    words: readonly string[],
    server: ProtocolServer,
    { when, typed }: { when: string; typed: string },
  ): Promise<{ status: number | null; shown: string }> {
    const command = [process.execPath, main, ...words].join(' ');
    const env = { ...process.env, HOLDFAST_URL: server.url, HOLDFAST_TOKEN: server.token, TERM: 'xterm' };
    const child = spawn('script', ['-qec', `stty cols 100; ${command}`, '/dev/null'], { env });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (!shown.includes(when) && (shown + text).includes(when)) child.stdin.write(typed);
      shown += text;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, shown };
  }

  const answers = {
    'backup.get': () => sampleBackup(),
    'backup.deleteSeveral': () => ({ job: sampleJob({ kind: 'delete' }) }),
    'job.events': async function* (): AsyncGenerator<JobEvent> {
      const progress = { phase: 'forget', part: null, files: 1, filesTotal: 2, bytes: 512, bytesTotal: 1024 };
      yield { type: 'job', job: sampleJob({ state: 'running', step: 'deleting', progress }) };
      await delay(400);
      yield { type: 'job', job: sampleJob({ state: 'done', progress: null }) };
    },
  } as const;

  it('asks before it deletes, and shows a bar', async () => {
    await using server = await ProtocolServer.start(answers);
    const { status, shown } = await onTerminal(['backup:delete', sampleBackupId], server, {
      when: 'Delete this backup for good?',
      typed: 'y',
    });
    expect(status).toBe(0);
    expect(shown).toContain('deleting  ████████████░░░░░░░░░░░░  50%  1 of 2 files  512 B of 1.0 KiB');
    expect(shown).toContain(`Deleted ${sampleBackupId}.`);
  });

  it.each([
    ['no', 'n', 'Nothing was done'],
    ['Ctrl-C', '\u0003', 'Interrupted.'],
    ['nothing but Enter', '\r', 'Nothing was done'],
  ])('does nothing when the answer is %s', async (_what, typed, said) => {
    await using server = await ProtocolServer.start(answers);
    const { status, shown } = await onTerminal(['backup:delete', sampleBackupId], server, {
      when: 'Delete this backup for good?',
      typed,
    });
    expect(status).toBe(130);
    expect(shown).toContain(said);
    expect(server.received.map(({ name }) => name)).not.toContain('backup.delete');
  });
});
