import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Job, type JobEvent, jobIdSchema } from '@holdfast/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliRun } from '../../testing/cli-run.ts';
import { type Answers, ProtocolServer } from '../../testing/protocol-server.ts';
import { sampleBackup, sampleJob } from '../../testing/samples.ts';

const adopting = (change: Partial<Job> = {}): Job => sampleJob({ kind: 'adopt', ...change });
const failure = { code: 'password-wrong', message: 'The password opens none of the 1 keys.' };
const { environmentId } = adopting();

async function* ending(change: Partial<Job>): AsyncGenerator<JobEvent> {
  yield { type: 'job', job: adopting({ state: 'done', ...change }) };
}

function answers(change: Answers = {}): Answers {
  return {
    'vault.adopt': () => ({ jobs: [adopting()], broken: [] }),
    'job.events': () => ending({}),
    'backup.list': () => ({ backups: [sampleBackup()], next: null }),
    ...change,
  };
}

describe('vault:adopt', () => {
  let folder: string;
  let passwordFile: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-adopt-'));
    passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, "\uFEFFthe owner's \n");
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('sends what the password file holds, and prints the id of the environment', async () => {
    await using server = await ProtocolServer.start(answers());
    const words = ['vault:adopt', 'nas', 'hosts/laptop', '--password-file', passwordFile];
    const { status, output, notes } = await cliRun([...words, '--environment', 'laptop'], { server });
    expect({ status, output }).toEqual({ status: 0, output: `${environmentId}\n` });
    expect(notes).toContain('guestbook has 1 backup: see `holdfast backup:list guestbook`.');
    expect(notes).not.toContain('owner');
    const { params, body } = server.received.find(({ name }) => name === 'vault.adopt') ?? {};
    expect({ params, body }).toEqual({
      params: { vault: 'nas' },
      body: { folder: 'hosts/laptop', password: "the owner's", environment: 'laptop' },
    });
  });

  it('a password file that is empty or cannot be read is told before anything is sent', async () => {
    await using server = await ProtocolServer.start(answers());
    const empty = join(folder, 'empty');
    writeFileSync(empty, '\n');
    const ofEmpty = await cliRun(['vault:adopt', 'nas', 'laptop', '--password-file', empty], { server });
    expect(ofEmpty).toMatchObject({ status: 2, notes: expect.stringContaining('error[usage-invalid]') });
    const none = join(folder, 'none');
    const ofNone = await cliRun(['vault:adopt', 'nas', 'laptop', '--password-file', none], { server });
    expect(ofNone).toMatchObject({ status: 1, notes: expect.stringContaining('error[secret-unreadable]') });
    expect(server.received).toEqual([]);
  });

  it('a dry run prints no environment', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, output } = await cliRun(['vault:adopt', 'nas', '--dry-run'], { server });
    expect({ status, output }).toEqual({ status: 0, output: '' });
    expect(server.received[0]?.body).toEqual({ dryRun: true });
  });

  it('without waiting, it prints the jobs', async () => {
    await using server = await ProtocolServer.start(answers());
    const { status, output } = await cliRun(['vault:adopt', 'nas', '--no-wait'], { server });
    expect({ status, output }).toEqual({ status: 0, output: `${adopting().id}\n` });
  });

  it('one that fails is the failure; beside others, or with one that is broken, it is a warning', async () => {
    const other = jobIdSchema.parse('job_9999999999999999');
    const failing: Answers = {
      'job.events': ({ params }) =>
        ending((params as { job: string }).job === other ? {} : { state: 'failed', error: failure }),
    };
    {
      await using server = await ProtocolServer.start(answers(failing));
      const { status, output, notes } = await cliRun(['vault:adopt', 'nas', 'laptop'], { server });
      expect({ status, output }).toEqual({ status: 5, output: '' });
      expect(notes).toContain('error[password-wrong]');
    }
    const two = { 'vault.adopt': () => ({ jobs: [adopting(), adopting({ id: other })], broken: ['torn'] }) };
    await using server = await ProtocolServer.start(answers({ ...failing, ...two }));
    const { status, output, notes } = await cliRun(['vault:adopt', 'nas'], { server });
    expect({ status, output }).toEqual({ status: 3, output: `${environmentId}\n` });
    expect(notes).toContain('warning: torn was a repository');
  });

  it('where nothing is new, it says so', async () => {
    const none = { 'vault.adopt': () => ({ jobs: [], broken: [] }) };
    await using server = await ProtocolServer.start(answers(none));
    const { status, output, notes } = await cliRun(['vault:adopt', 'nas'], { server });
    expect({ status, output }).toEqual({ status: 0, output: '' });
    expect(notes).toContain('no repository that is not known already');
  });
});
