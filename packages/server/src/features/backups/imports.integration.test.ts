import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backup, Job, UploadId } from '@holdfast/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DockerServer, openDockerServer } from '../../testing/docker-server.ts';
import { readyBackup, restore } from '../../testing/restoring.ts';
import { openTestProject, type TestProject, volumeMount } from '../../testing/test-project.ts';

let project: TestProject;
let server: DockerServer;
let folder: string;
/** Of the volume that `web` mounts. */
let volumePath: string;

beforeAll(async () => {
  project = await openTestProject();
  server = await openDockerServer(['--import-allow', '127.0.0.0/8']);
  folder = mkdtempSync(join(tmpdir(), 'holdfast-import-'));
  const data = await project.volume('data');
  volumePath = await project.pathOf(data);
  await project.service('web', { mounts: [volumeMount(data, '/data')] });
  await project.service('db', {
    labels: {
      'holdfast.backup.command': 'cat /dump || echo none',
      'holdfast.restore.command': 'cat > /dump.new && mv /dump.new /dump',
    },
  });
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await project?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface ImportBody {
  readonly url?: string;
  readonly upload?: UploadId;
  readonly component?: string;
  readonly part?: string;
  readonly description?: string;
}

async function importing(body: ImportBody): Promise<{ readonly job: Job; readonly backup: Backup }> {
  const params = { environment: project.name };
  const { job, backupId } = await server.client.call('import.create', { params, body });
  const ended = await server.ended(job);
  return { job: ended, backup: await server.client.call('backup.get', { params: { backup: backupId } }) };
}

async function upload(bytes: Uint8Array): Promise<UploadId> {
  return (await server.client.upload('upload.create', new Blob([Buffer.from(bytes)]), {})).id;
}

/** A folder with something of each kind. */
function makeFiles(name: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, 'deep', 'er'), { recursive: true });
  writeFileSync(join(path, 'deep', 'er', 'ümläut "1".txt'), name, { mode: 0o600 });
  writeFileSync(join(path, 'large'), Buffer.alloc(5_000_000, name));
  symlinkSync('large', join(path, 'link'));
  return path;
}

function tarOf(path: string, ...options: readonly string[]): Buffer {
  return execFileSync('tar', ['-c', ...options, '-C', path, '.'], { maxBuffer: 100_000_000 });
}

/** As it is before a restore: nothing of it may stay, or all of it. */
function writeOld(): void {
  for (const name of readdirSync(volumePath)) rmSync(join(volumePath, name), { recursive: true });
  writeFileSync(join(volumePath, 'old'), 'old');
}

async function serve(answer: RequestListener) {
  const listening = createServer(answer).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/archive?signature=very-secret`,
    [Symbol.asyncDispose]: async () => {
      listening.closeAllConnections();
      await new Promise((resolve) => listening.close(resolve));
    },
  };
}

function uploads(): readonly string[] {
  return readdirSync(join(server.dataDirectory, 'uploads'));
}

describe('what is imported', () => {
  test('is a backup: an upload of a volume’s files, which a restore puts there exactly', async () => {
    writeOld();
    const files = makeFiles('uploaded');
    const id = await upload(tarOf(files, '--zstd'));
    const { job, backup } = await importing({ upload: id, component: 'web', description: 'from before' });
    expect(job).toMatchObject({ kind: 'import', state: 'done', error: null, warnings: [] });
    expect(backup).toMatchObject({ kind: 'imported', status: 'ready', description: 'from before' });
    expect(backup.parts).toMatchObject([{ name: `${project.name}_data`, files: 2 }]);
    expect(readdirSync(volumePath)).toEqual(['old']);
    expect(uploads()).not.toContain(id);
    expect(await restore(server, backup.id)).toMatchObject({ state: 'done', error: null, warnings: [] });
    execFileSync('diff', ['-r', '--no-dereference', files, volumePath]);
    await expect
      .poll(() => readdirSync(join(server.dataDirectory, 'tasks')), { timeout: 10_000 })
      .toEqual([]);
  });

  test('may come from a URL, which nobody is shown again', async () => {
    writeOld();
    const files = makeFiles('downloaded');
    const archive = tarOf(files);
    await using site = await serve((_, response) => response.end(archive));
    const { job, backup } = await importing({ url: site.url });
    expect(job).toMatchObject({ state: 'done', error: null });
    expect(await restore(server, backup.id)).toMatchObject({ state: 'done' });
    execFileSync('diff', ['-r', '--no-dereference', files, volumePath]);
    const { log } = await server.client.call('backup.log', { params: { backup: backup.id } });
    expect(JSON.stringify([job, backup, log])).not.toMatch(/signature|very-secret/);
    for (const name of readdirSync(server.dataDirectory).filter((each) => each.startsWith('catalog'))) {
      expect(readFileSync(join(server.dataDirectory, name), 'latin1')).not.toContain('very-secret');
    }
  });

  test('may be a dump, which goes to the restore command', async () => {
    const { job, backup } = await importing({ upload: await upload(Buffer.from('the dump\n')) });
    expect(job).toMatchObject({ state: 'done', error: null });
    expect(backup.parts).toMatchObject([{ name: 'db:command', source: { component: 'db' } }]);
    expect(await restore(server, backup.id)).toMatchObject({ state: 'done', error: null });
    const body = { components: ['db'], code: false };
    const now = await server.client.call('backup.create', { params: { environment: project.name }, body });
    expect(await server.ended(now.job)).toMatchObject({ state: 'done' });
    const { parts } = await server.client.call('backup.get', { params: { backup: now.backupId } });
    expect(parts).toMatchObject([{ bytes: 'the dump\n'.length }]);
    const id = await upload(tarOf(makeFiles('forced')));
    const forced = await importing({ upload: id, part: 'db:command' });
    expect(forced.backup.parts).toMatchObject([{ name: 'db:command', files: 1 }]);
  });

  test.each(['tar.zst', 'tar', 'zip'] as const)('may be what a download made: %s', async (format) => {
    writeOld();
    const files = makeFiles(`kept-${format}`);
    linkSync(join(files, 'link'), join(files, 'deep', 'same-link'));
    execFileSync('cp', ['-a', `${files}/.`, volumePath]);
    rmSync(join(volumePath, 'old'));
    const backup = await readyBackup(server, project);
    const query = { format };
    const response = await server.client.open('backup.download', { params: { backup }, query });
    const id = await upload(new Uint8Array(await response.arrayBuffer()));
    writeOld();
    const { job, backup: imported } = await importing({ upload: id });
    expect(job).toMatchObject({ state: 'done', error: null, warnings: [] });
    const original = await server.client.call('backup.get', { params: { backup } });
    const shapes = (parts: Backup['parts']) =>
      parts.map(({ snapshotId: _, treeId: _tree, storedBytes: _stored, ...shape }) => shape);
    expect(shapes(imported.parts)).toEqual(shapes(original.parts));
    expect(imported.mode).toBe(original.mode);
    expect(await restore(server, imported.id)).toMatchObject({ state: 'done', error: null, warnings: [] });
    execFileSync('diff', ['-r', '--no-dereference', files, volumePath]);
    // A zip makes a link of its own of each name.
    expect(lstatSync(join(volumePath, 'deep', 'same-link')).nlink).toBe(format === 'zip' ? 1 : 2);
  });

  test('may be what a download made of another environment', async () => {
    writeOld();
    const top = join(folder, 'top');
    const files = makeFiles('top/parts/other_data');
    const names = [
      'holdfast-backup.json',
      'parts/other_data/large',
      'parts/other_data/deep/er/ümläut "1".txt',
    ];
    mkdirSync(join(top, 'checksums'));
    const source = { kind: 'volume', name: 'other_data', driver: 'local', labels: {}, options: {} };
    const mountPoints = [{ component: 'web', path: '/data', readOnly: false }];
    const manifest = {
      version: 1,
      backup: { id: 'bak_0', mode: 'consistent', environmentName: 'other', createdAtMs: 1 },
      parts: [{ name: 'other_data', path: 'parts/other_data', source, mountPoints }],
    };
    writeFileSync(join(top, 'holdfast-backup.json'), JSON.stringify(manifest));
    const sums = names.map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(top, name)))
          .digest('hex')}  ${name}\n`,
    );
    writeFileSync(join(top, 'checksums', '1'), sums.join(''));
    const { job, backup } = await importing({ upload: await upload(tarOf(top)) });
    expect(job).toMatchObject({ state: 'done', error: null });
    expect(backup).toMatchObject({ mode: 'consistent', parts: [{ name: `${project.name}_data` }] });
    expect(await restore(server, backup.id)).toMatchObject({ state: 'done', warnings: [] });
    execFileSync('diff', ['-r', '--no-dereference', files, volumePath]);
  });
});

describe('what cannot be imported', () => {
  async function expectFailed(body: ImportBody, code: string): Promise<void> {
    const { job, backup } = await importing(body);
    expect(job, code).toMatchObject({ state: 'failed', error: { code } });
    expect(backup, code).toMatchObject({ status: 'failed', parts: [] });
    expect(readdirSync(volumePath)).toEqual(['old']);
    const restoring = server.client.call('backup.restore', { params: { backup: backup.id }, body: {} });
    await expect(restoring).rejects.toMatchObject({ report: { code: 'backup-not-ready' } });
  }

  test('leaves no backup that is ready, and the target untouched', async () => {
    writeOld();
    const files = makeFiles('hostile');
    const hostile = tarOf(files, '-P', '--transform=s|^|../|');
    const whole = tarOf(files);
    execFileSync('mknod', [join(files, 'device'), 'c', '1', '3']);
    const device = tarOf(files);
    await expectFailed({ upload: await upload(hostile) }, 'archive-refused');
    await expectFailed({ upload: await upload(device) }, 'archive-refused');
    await expectFailed({ upload: await upload(whole.subarray(0, 1_000_000)) }, 'archive-damaged');
    await expectFailed(
      { upload: await upload(Buffer.from('no archive')), component: 'web' },
      'import-refused',
    );
    await expectFailed({ upload: await upload(Buffer.alloc(0)) }, 'import-refused');
  });

  test('is what a URL does not give', async () => {
    writeOld();
    await using missing = await serve((_, response) => void response.writeHead(404).end());
    await expectFailed({ url: missing.url }, 'url-failed');
    const location = 'http://169.254.169.254/latest/meta-data/';
    await using astray = await serve((_, response) => void response.writeHead(302, { location }).end());
    await expectFailed({ url: astray.url }, 'url-refused');
    await using wrong = await serve((_, response) => response.end('<html>Please log in</html>'));
    await expectFailed({ url: wrong.url, component: 'web' }, 'import-refused');
  });

  test('can be cancelled meanwhile', async () => {
    writeOld();
    await using silent = await serve(() => {});
    const params = { environment: project.name };
    const { job, backupId } = await server.client.call('import.create', {
      params,
      body: { url: silent.url },
    });
    await server.reaches(job, 'Taking in the source');
    const importing = await server.client.call('backup.get', { params: { backup: backupId } });
    expect(importing.status).toBe('importing');
    await server.client.call('job.cancel', { params: { job: job.id } });
    expect(await server.ended(job)).toMatchObject({ state: 'cancelled' });
    const backup = await server.client.call('backup.get', { params: { backup: backupId } });
    expect(backup.status).toBe('cancelled');
  });

  test('is told before a job is made where that can be told', async () => {
    const create = (body: ImportBody) =>
      server.client.call('import.create', { params: { environment: project.name }, body });
    const url = 'http://127.0.0.1:1/';
    await expect(create({ url, component: 'nobody' })).rejects.toMatchObject({
      report: { code: 'component-unknown' },
    });
    await expect(create({ url, part: 'nothing' })).rejects.toMatchObject({
      report: { code: 'import-refused' },
    });
  });
});

test('a server that is killed in the middle leaves no backup that is ready', async () => {
  await using silent = await serve(() => {});
  const params = { environment: project.name };
  const { job, backupId } = await server.client.call('import.create', { params, body: { url: silent.url } });
  await server.reaches(job, 'Taking in the source');
  await server.kill();
  await server.start();
  expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'server-lost' } });
  const backup = await server.client.call('backup.get', { params: { backup: backupId } });
  expect(backup.status).toBe('failed');
});
