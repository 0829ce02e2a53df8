import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, type BackupSummary } from '@holdfast/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliRun } from './testing/cli-run.ts';
import { ProtocolServer } from './testing/protocol-server.ts';
import {
  sampleBackup,
  sampleBackupSummary,
  sampleEnvironment,
  sampleJob,
  sampleTimeMs,
} from './testing/samples.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('words', () => {
  it('without any, and with --help, it prints what there is', async () => {
    for (const words of [[], ['--help'], ['help']]) {
      const { status, output, notes } = await cliRun(words);
      expect(status).toBe(0);
      expect(output).toContain('backup:create');
      expect(output).toContain('\n  server ');
      expect(notes).toBe('');
    }
  });

  it('prints its version', async () => {
    expect(await cliRun(['--version'])).toMatchObject({
      status: 0,
      output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it('takes a blank for the colon', async () => {
    const { output } = await cliRun(['backup', 'create', '--help']);
    expect(output).toContain('Usage: holdfast backup:create');
    expect(output).toContain('Examples:');
    expect((await cliRun(['help', 'backup', 'create'])).output).toBe(output);
    expect((await cliRun(['help', 'backup:create'])).output).toBe(output);
  });

  it.each([
    [['backup:crate'], 'Did you mean backup:create?'],
    [['backup', 'lst'], 'Did you mean backup:list?'],
    [['backup'], 'There are: backup:create, '],
    [['nonsense'], "Unknown command 'nonsense'."],
    [['backup:list', '--al'], 'Did you mean --all?'],
    [['backup:list', '--limit', '0'], 'A whole number'],
    [['backup:list', '--format', 'xml'], 'Allowed choices are'],
    [['backup:create', '--retention', 'soon'], 'as in 30d or 6M'],
    [['backup:log'], "Missing required argument 'id'."],
    [['backup:get', 'a', 'b'], 'Too many arguments'],
  ])('%j is wrong usage: one line, exit status 2', async (words, text) => {
    const { status, output, notes } = await cliRun(words);
    expect(status).toBe(2);
    expect(output).toBe('');
    expect(notes).toMatch(/^error\[usage-invalid\]: [^\n]+\n$/);
    expect(notes).toContain(text);
  });

  it('tells errors as one JSON object with --format json', async () => {
    for (const words of [
      ['backup:list', '--format', 'json', '--nope'],
      ['backup:list', '--format=json', '--nope'],
    ]) {
      const { notes } = await cliRun(words);
      expect(JSON.parse(notes)).toEqual({
        code: 'usage-invalid',
        message: "Unknown option '--nope'.",
        hint: 'See --help.',
      });
    }
  });
});

describe('finding the server', () => {
  it('says how to start one where there is none', async () => {
    const { status, notes } = await cliRun(['vault:list'], { env: { HOLDFAST_DATA: folder } });
    expect(status).toBe(1);
    expect(notes).toMatch(/^error\[server-unreachable\]: .*`holdfast server`/);
  });

  it('reads address and token from the data directory', async () => {
    await using server = await ProtocolServer.start({ 'vault.list': () => ({ vaults: [] }) });
    const data = await mkdtemp(join(folder, 'data-'));
    await writeFile(join(data, 'server.json'), JSON.stringify({ url: server.url, pid: 1, version: '0.1.0' }));
    await writeFile(join(data, 'token'), `${server.token}\n`);
    const found = await cliRun(['vault:list'], { env: { HOLDFAST_DATA: data } });
    expect(found).toEqual({ status: 0, output: '', notes: 'There is no vault.\n' });
    await server.stop();
    const gone = await cliRun(['vault:list'], { env: { HOLDFAST_DATA: data } });
    expect(gone.status).toBe(1);
    expect(gone.notes).toMatch(
      /^error\[server-unreachable\]: The server at http:\/\/127.0.0.1:\d+ cannot be reached \(ECONNREFUSED\)\./,
    );
  });

  it('takes --url and --token-file before anything else', async () => {
    await using server = await ProtocolServer.start({ 'vault.list': () => ({ vaults: [] }) });
    const tokenFile = join(folder, 'my-token');
    await writeFile(tokenFile, server.token);
    const words = ['vault:list', '--url', server.url, '--token-file', tokenFile, '--format', 'json'];
    const env = { HOLDFAST_URL: 'http://127.0.0.1:1', HOLDFAST_TOKEN: 'wrong' };
    expect(await cliRun(words, { env })).toMatchObject({ status: 0, output: '[]\n' });
    expect((await cliRun(words.slice(0, 3), { env })).status).toBe(5);
  });

  it("sends this machine's token to nobody else", async () => {
    const { status, notes } = await cliRun(['vault:list', '--url', 'http://192.0.2.1:8420']);
    expect(status).toBe(5);
    expect(notes).toContain('error[unauthenticated]: There is no token for http://192.0.2.1:8420.');
  });

  it.each(['ftp://x', 'nonsense', '//'])('refuses %s for a URL', async (url) => {
    expect((await cliRun(['vault:list', '--url', url])).status).toBe(2);
  });

  it('tells a token file that is not there or not a token', async () => {
    const there = join(folder, 'two words');
    await writeFile(there, 'two words');
    for (const path of [join(folder, 'none'), there]) {
      const { status, notes } = await cliRun([
        'vault:list',
        '--url',
        'http://127.0.0.1:1',
        '--token-file',
        path,
      ]);
      expect(status).toBe(1);
      expect(notes).toContain('error[secret-unreadable]');
    }
  });

  it('tells a server that speaks something else', async () => {
    const other = createServer((_request, response) => response.end('<html>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const env = { HOLDFAST_URL: `http://127.0.0.1:${port}`, HOLDFAST_TOKEN: 'x' };
    const { status, notes } = await cliRun(['vault:list'], { env });
    expect(status).toBe(1);
    expect(notes).toContain('error[server-incompatible]');
    other.close();
    other.closeAllConnections();
  });
});

describe('errors of the server', () => {
  it.each([
    [404, 'environment-unknown', 4],
    [409, 'environment-busy', 6],
    [403, 'right-missing', 5],
    [400, 'a-code-of-the-future', 2],
    [404, 'a-code-of-the-future', 4],
    [403, 'a-code-of-the-future', 5],
    [409, 'a-code-of-the-future', 6],
    [500, 'a-code-of-the-future', 1],
  ])('HTTP %d with %s: exit status %d, the code as it was', async (httpStatus, code, status) => {
    await using server = await ProtocolServer.start({
      'environment.list': () => {
        throw new ApiError(httpStatus, { code, message: 'It did not work.', hint: 'Try again.' });
      },
    });
    expect(await cliRun(['environment:list'], { server })).toEqual({
      status,
      output: '',
      notes: `error[${code}]: It did not work. Try again.\n`,
    });
  });
});

describe('backup:list', () => {
  const summary = sampleBackupSummary({ description: 'before, "2.0"' });

  it('has every format', async () => {
    await using server = await ProtocolServer.start({
      'backup.list': () => ({ backups: [summary], next: null }),
    });
    const list = async (...words: string[]) => {
      const { status, output } = await cliRun(['backup:list', '--all', ...words], { server });
      expect(status).toBe(0);
      return output;
    };
    expect(await list()).toMatch(
      /^ID +ENVIRONMENT +COMPONENT +CREATED +EXPIRES +SIZE +KIND +MODE +STATUS +RULE\nbak_0123456789abcdef +guestbook +web, db +2026-\d\d-\d\d \d\d:\d\d +never +3\.0 MiB +manual +consistent +ready +until somebody deletes it\n$/,
    );
    expect(await list('--format', 'csv', '-c', 'id,component,expires,size,description')).toBe(
      'id,component,expires,size,description\nbak_0123456789abcdef,"web,db",,3145728,"before, ""2.0"""\n',
    );
    expect(await list('--format', 'csv', '-c', 'expires,rule')).toBe(
      'expires,rule\n,until somebody deletes it\n',
    );
    expect(await list('--format', 'tsv', '--columns', 'id, size')).toBe(
      'id\tsize\nbak_0123456789abcdef\t3145728\n',
    );
    expect(await list('--format', 'plain', '-c', 'id,status')).toBe('bak_0123456789abcdef\tready\n');
    expect(JSON.parse(await list('--format', 'json'))).toEqual([summary]);
    expect(JSON.parse(await list('--format', 'json', '-c', 'id,size'))).toEqual([
      { id: summary.id, size: 3145728 },
    ]);
  });

  const kept = { ...sampleBackupSummary().expiry, keptBy: ['the schedule interval:1d'] };

  it.each<[string, Partial<BackupSummary>, RegExp]>([
    [
      'a date',
      { expiry: { ...kept, atMs: sampleTimeMs } },
      /2026-11-2\d \d\d:\d\d +ready +the schedule interval:1d/,
    ],
    ['how many replace it', { expiry: { ...kept, afterNext: 2 } }, /after the next 2 +ready +the schedule/],
    [
      'that it goes',
      { expiry: { ...kept, keptBy: [], removedBy: 'no schedule keeps it' } },
      /now +ready +no schedule/,
    ],
    ['that nobody knows whether it is good', { doubt: 'uploads is gone.' }, /never +ready, doubtful +until/],
  ])(
    'tells people when a backup goes, by which rule, and what is wrong with it: %s',
    async (_, change, line) => {
      await using server = await ProtocolServer.start({
        'backup.list': () => ({ backups: [sampleBackupSummary(change)], next: null }),
      });
      const words = ['backup:list', '--all', '-c', 'expires,status,rule'];
      expect((await cliRun(words, { server })).output).toMatch(line);
    },
  );

  it('names the columns there are', async () => {
    await using server = await ProtocolServer.start({
      'backup.list': () => ({ backups: [summary], next: null }),
    });
    const { status, notes } = await cliRun(['backup:list', '--all', '-c', 'nope'], { server });
    expect(status).toBe(2);
    expect(notes).toContain('The columns are: id, environment, ');
  });

  it('reads page after page up to the limit, and says when there is more', async () => {
    await using server = await ProtocolServer.start({
      'backup.list': ({ query }) => {
        const start = Number(query?.after ?? 0);
        const count = Math.min(Number(query?.limit), 2_500 - start);
        const next = start + count < 2_500 ? String(start + count) : null;
        return { backups: Array.from({ length: count }, () => summary), next };
      },
    });
    const ids = ['backup:list', '--all', '--format', 'plain', '-c', 'id'];
    const all = await cliRun([...ids, '--limit', '5000'], { server });
    expect(all.output.split('\n')).toHaveLength(2_501);
    expect(all.notes).toBe('');
    const cut = await cliRun([...ids, '--limit', '1200'], { server });
    expect(cut.output.split('\n')).toHaveLength(1_201);
    expect(cut.notes).toBe('');
    expect((await cliRun(ids, { server })).notes).toBe('These are the newest 100: --limit shows more.\n');
  });
});

describe('backup:get', () => {
  it('shows the newest of the environment, or a property of it', async () => {
    await using server = await ProtocolServer.start({
      'environment.list': () => ({ environments: [sampleEnvironment('guestbook')] }),
      'backup.list': () => ({ backups: [sampleBackupSummary()], next: null }),
      'backup.get': () => sampleBackup(),
    });
    const { output } = await cliRun(['backup:get'], { server });
    expect(output).toContain('guestbook_uploads  web:/uploads');
    expect(output).toMatch(/^Password file {2,}\/var\/lib/m);
    expect((await cliRun(['backup:get', '-P', 'repository'], { server })).output).toBe(
      '/var/lib/holdfast/vaults/local/rep_0123456789abcdef\n',
    );
    expect((await cliRun(['backup:get', '-P', 'parts.1.files'], { server })).output).toBe('1214\n');
    expect((await cliRun(['backup:get', '-P', 'expiresAtMs'], { server })).output).toBe('\n');
    const unknown = await cliRun(['backup:get', '-P', 'toString'], { server });
    expect(unknown.status).toBe(2);
    expect(unknown.notes).toContain('There are: id, ');
    const json = await cliRun(['backup:get', '--format', 'json'], { server });
    expect(JSON.parse(json.output)).toEqual(sampleBackup());
  });

  it('says so where the environment has none', async () => {
    await using server = await ProtocolServer.start({
      'backup.list': () => ({ backups: [], next: null }),
    });
    const { status, notes } = await cliRun(['backup:get', '-e', 'guestbook'], { server });
    expect(status).toBe(4);
    expect(notes).toContain('error[backup-unknown]');
  });
});

describe('jobs', () => {
  it('are named by the beginning of their id', async () => {
    const other = sampleJob({ id: 'job_0199999999999999' as never });
    await using server = await ProtocolServer.start({
      'job.list': () => ({ jobs: [sampleJob(), other] }),
      'job.cancel': () => sampleJob({ cancelRequested: true }),
    });
    expect((await cliRun(['job:cancel', '0123'], { server })).status).toBe(0);
    expect(server.received.at(-1)).toMatchObject({ params: { job: 'job_0123456789abcdef' } });
    expect((await cliRun(['job:cancel', 'job_01'], { server })).status).toBe(2);
    expect((await cliRun(['job:cancel', 'zzz'], { server })).status).toBe(4);
  });

  it('are listed by state', async () => {
    await using server = await ProtocolServer.start({ 'job.list': () => ({ jobs: [sampleJob()] }) });
    const { output } = await cliRun(['job:list', '--state', 'queued', '--format', 'tsv', '-c', 'id,state'], {
      server,
    });
    expect(output).toBe('id\tstate\njob_0123456789abcdef\tqueued\n');
    expect(server.received[0]?.query).toMatchObject({ state: 'queued', limit: 50 });
  });
});

describe('what nobody expected', () => {
  const env = {
    get HOLDFAST_TOKEN(): string {
      throw new Error('boom');
    },
  };

  it('is one line, without a stack', async () => {
    const { status, notes } = await cliRun(['vault:list', '--url', 'http://127.0.0.1:1'], { env });
    expect(status).toBe(1);
    expect(notes).toMatch(/^error\[internal\]: Unexpected failure: boom [^\n]+\n$/);
  });

  it('has its stack with HOLDFAST_DEBUG=1', async () => {
    const { notes } = await cliRun(['vault:list'], {
      env: { HOLDFAST_URL: 'nonsense', HOLDFAST_DEBUG: '1' },
    });
    expect(notes).toMatch(/^error\[usage-invalid\]: .*\nHoldfastError: .*\n {4}at /);
  });
});
