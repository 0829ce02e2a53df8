import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, type Repository, type RouteResponse, type Routes } from '@holdfast/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliRun } from '../../testing/cli-run.ts';
import { type Answers, ProtocolServer } from '../../testing/protocol-server.ts';
import { sampleEnvironment } from '../../testing/samples.ts';

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'holdfast-password-'));
  mkdirSync(join(data, 'recovery'));
  writeFileSync(join(data, 'recovery/default.key'), 'the recovery key\n');
});

afterEach(() => rmSync(data, { recursive: true }));

const guestbook = sampleEnvironment('guestbook');

function repositories(
  passwordFile = '/server/recovery/default.key',
): RouteResponse<Routes['repository.list']> {
  const repository: Repository = {
    id: 'rep_0123456789abcdef' as Repository['id'],
    environmentId: guestbook.id,
    environmentName: 'guestbook',
    vaultId: 'vlt_0123456789abcdef' as Repository['vaultId'],
    location: '/vault/guestbook-01234567',
    passwordFile,
  };
  return { repositories: [repository] };
}

function answers(change: Answers = {}): Answers {
  return {
    'environment.list': () => ({ environments: [guestbook] }),
    'repository.list': () => repositories(),
    'vault.open': () => ({ noted: true }),
    ...change,
  };
}

describe('repository:password', () => {
  it('tells where the repository and its password file are, and shows no key', async () => {
    await using server = await ProtocolServer.start(answers());
    const words = ['repository:password', 'guestbook', '--format', 'csv'];
    const { status, output } = await cliRun(words, { server, env: { HOLDFAST_DATA: data } });
    expect({ status, output }).toEqual({
      status: 0,
      output:
        'environment,repository,file\nguestbook,/vault/guestbook-01234567,/server/recovery/default.key\n',
    });
    expect(server.received.map(({ name }) => name)).toEqual(['repository.list']);
    expect(server.received[0]?.query).toEqual({ environment: 'guestbook' });
  });

  it('shows the key only after a yes, and has it noted', async () => {
    await using server = await ProtocolServer.start(answers());
    const options = { server, env: { HOLDFAST_DATA: data } };
    const words = ['repository:password', '--all', '--show', '--format', 'csv'];
    const asked = await cliRun(words, options);
    expect(asked).toMatchObject({ status: 2, output: '' });
    expect(asked.notes).toContain('error[confirmation-needed]');
    expect(server.received.map(({ name }) => name)).not.toContain('vault.open');

    const { status, output } = await cliRun([...words, '-c', 'password', '--yes'], options);
    expect({ status, output }).toEqual({ status: 0, output: 'password\nthe recovery key\n' });
    expect(server.received.at(-1)).toMatchObject({
      name: 'vault.open',
      body: { command: 'repository:password' },
    });
  });

  it('shows nothing to whom the server does not allow it', async () => {
    const refuse = () => {
      throw new ApiError(403, { code: 'right-missing', message: 'The token lacks vault:open.' });
    };
    await using server = await ProtocolServer.start(answers({ 'vault.open': refuse }));
    const words = ['repository:password', 'guestbook', '--show', '--yes'];
    const { status, output } = await cliRun(words, { server, env: { HOLDFAST_DATA: data } });
    expect({ status, output }).toEqual({ status: 5, output: '' });
  });

  it('reads no other file of this machine than a recovery key, whatever the server says', async () => {
    const other = join(data, 'other');
    writeFileSync(other, 'private');
    await using server = await ProtocolServer.start(
      answers({ 'repository.list': () => repositories(other) }),
    );
    const words = ['repository:password', 'guestbook', '--show', '--yes'];
    const { status, output, notes } = await cliRun(words, { server, env: { HOLDFAST_DATA: data } });
    expect({ status, output }).toEqual({ status: 1, output: '' });
    expect(notes).toContain('error[secret-unreadable]');
  });

  it('says so where there is no repository yet', async () => {
    await using server = await ProtocolServer.start(
      answers({ 'repository.list': () => ({ repositories: [] }) }),
    );
    const { status, notes } = await cliRun(['repository:password', 'guestbook'], { server });
    expect(status).toBe(4);
    expect(notes).toContain('error[repository-missing]');
    expect((await cliRun(['repository:password', 'guestbook', '--all'], { server })).status).toBe(2);
  });
});
