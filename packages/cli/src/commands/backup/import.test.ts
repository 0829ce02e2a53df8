import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupStatus, Job, JobEvent } from '@holdfast/protocol';
import { uploadIdSchema } from '@holdfast/protocol';
import { describe, expect, it } from 'vitest';
import { cliRun } from '../../testing/cli-run.ts';
import { type Answers, ProtocolServer } from '../../testing/protocol-server.ts';
import {
  sampleBackup,
  sampleBackupId,
  sampleEnvironment,
  sampleJob,
  sampleTimeMs,
} from '../../testing/samples.ts';

const uploadId = uploadIdSchema.parse('upl_0123456789abcdef');

async function* send(job: Partial<Job>): AsyncGenerator<JobEvent> {
  yield { type: 'job', job: sampleJob({ state: 'done', finishedAtMs: sampleTimeMs + 1, ...job }) };
}

function answers(change: Answers = {}): Answers {
  return {
    'environment.list': () => ({ environments: [sampleEnvironment('guestbook')] }),
    'upload.create': () => ({ id: uploadId, bytes: 3, expiresAtMs: sampleTimeMs }),
    'import.create': () => ({ job: sampleJob({ kind: 'import' }), backupId: sampleBackupId }),
    'backup.restore': () => ({ job: sampleJob({ kind: 'restore' }) }),
    'backup.get': () => sampleBackup(),
    'backup.list': () => ({ backups: [], next: null }),
    'job.events': () => send({ kind: 'import' }),
    'job.get': () => sampleJob({ state: 'running' }),
    ...change,
  };
}

/** A folder with a file `dump` in it. */
function withDump(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
  writeFileSync(join(path, 'dump'), 'abc');
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

function bodyOf(server: ProtocolServer, route: string): unknown {
  return server.received.find(({ name }) => name === route)?.body;
}

const failed = {
  state: 'failed',
  error: { code: 'url-refused', message: 'x is 10.0.0.1, which is no public address.' },
} as const;

describe('backup:import', () => {
  it('has the server take what is at a URL, and prints the id of the backup alone', async () => {
    await using server = await ProtocolServer.start(answers());
    const url = 'https://example.org/a.tar?signature=secret';
    const words = ['backup:import', '--url', url, '--part', 'guestbook_db', '--description', 'x'];
    const { status, output, notes } = await cliRun(words, { server });
    expect({ status, output }).toEqual({ status: 0, output: `${sampleBackupId}\n` });
    expect(bodyOf(server, 'import.create')).toEqual({ url, part: 'guestbook_db', description: 'x' });
    expect(notes).toContain(`Backup ${sampleBackupId} of guestbook is ready`);
    expect(notes).not.toContain('secret');
  });

  it('sends a file of this machine', async () => {
    using folder = withDump();
    await using server = await ProtocolServer.start(answers());
    const words = ['backup:import', 'guestbook', '--file', 'dump', '--component', 'db', '--no-wait'];
    const { status, output, notes } = await cliRun(words, { server, folder: folder.path });
    expect({ status, output }).toEqual({ status: 0, output: `${sampleBackupId}\n` });
    expect(bodyOf(server, 'upload.create')).toBe('abc');
    expect(bodyOf(server, 'import.create')).toEqual({ upload: uploadId, component: 'db' });
    expect(notes).toContain('Sending dump (3 B) to the server.');
  });

  it('finds the server by --server-url', async () => {
    await using server = await ProtocolServer.start(answers());
    const words = ['backup:import', '--url', 'https://example.org/a', '--server-url', server.url];
    const { status } = await cliRun(words, { env: { HOLDFAST_TOKEN: server.token } });
    expect(status).toBe(0);
  });

  it('needs one source, and a file that is there', async () => {
    await using server = await ProtocolServer.start(answers());
    const run = async (...words: string[]) => await cliRun(['backup:import', ...words], { server });
    expect(await run()).toMatchObject({ status: 2 });
    expect(await run('--url', 'https://example.org', '--file', 'x')).toMatchObject({ status: 2 });
    const missing = await run('--file', 'nothing-here');
    expect(missing).toMatchObject({ status: 4, notes: expect.stringContaining('error[source-missing]') });
    expect(bodyOf(server, 'import.create')).toBeUndefined();
  });

  it('tells why it failed, and prints no id', async () => {
    await using server = await ProtocolServer.start(answers({ 'job.events': () => send(failed) }));
    const result = await cliRun(['backup:import', '--url', 'http://x/'], { server });
    expect(result).toMatchObject({ status: 5, output: '' });
    expect(result.notes).toContain('error[url-refused]');
  });
});

describe('backup:restore of what is imported first', () => {
  it.each([
    ['--from-url', 'https://example.org/a.tar', { url: 'https://example.org/a.tar', component: 'db' }],
    ['--from-file', 'dump', { upload: uploadId, component: 'db' }],
  ])('%s', async (option, value, body) => {
    using folder = withDump();
    await using server = await ProtocolServer.start(answers());
    const words = ['backup:restore', option, value, '--component', 'db', '--yes'];
    const { status, notes } = await cliRun(words, { server, folder: folder.path });
    expect(status).toBe(0);
    expect(bodyOf(server, 'import.create')).toEqual(body);
    expect(server.received.find(({ name }) => name === 'backup.restore')).toMatchObject({
      params: { backup: sampleBackupId },
      body: { components: ['db'] },
    });
    expect(notes).toContain('will go back to');
  });

  it('imports nothing where nobody could confirm the restore, or another source is named', async () => {
    await using server = await ProtocolServer.start(answers());
    const from = ['--from-url', 'https://example.org/a.tar'];
    expect(await cliRun(['backup:restore', ...from], { server })).toMatchObject({ status: 2 });
    for (const other of [['bak_0123456789abcdef'], ['--undo'], ['--from-file', 'dump']]) {
      const result = await cliRun(['backup:restore', ...other, ...from, '--yes'], { server });
      expect(result).toMatchObject({ status: 2, notes: expect.stringContaining('error[usage-invalid]') });
    }
    expect(server.received.map(({ name }) => name)).not.toContain('import.create');
  });

  it('restores nothing where the import failed', async () => {
    const status: BackupStatus = 'failed';
    await using server = await ProtocolServer.start(
      answers({ 'job.events': () => send(failed), 'backup.get': () => sampleBackup({ status }) }),
    );
    const words = ['backup:restore', '--from-url', 'http://x/', '--yes'];
    expect(await cliRun(words, { server })).toMatchObject({ status: 5 });
    expect(server.received.map(({ name }) => name)).not.toContain('backup.restore');
  });
});
