import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { sleep } from '@holdfast/base';
import { type ArchiveFormat, archiveNotesHeader, decodeArchiveNotes } from '@holdfast/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DockerServer, openDockerServer } from '../../testing/docker-server.ts';
import { readyBackup } from '../../testing/restoring.ts';
import { bindMount, openTestProject, type TestProject, volumeMount } from '../../testing/test-project.ts';

let project: TestProject;
let server: DockerServer;
let folder: string;
let volumePath: string;
let backup: string;

beforeAll(async () => {
  project = await openTestProject();
  server = await openDockerServer();
  folder = mkdtempSync(join(tmpdir(), 'holdfast-download-'));
  const data = await project.volume('data');
  volumePath = await project.pathOf(data);
  mkdirSync(join(volumePath, 'deep', 'er'), { recursive: true });
  writeFileSync(join(volumePath, 'deep', 'er', 'ümläut "1".txt'), 'deep');
  writeFileSync(join(volumePath, 'large'), randomBytes(9_000_000));
  writeFileSync(join(volumePath, 'empty'), '');
  symlinkSync('large', join(volumePath, 'link'));
  for (let file = 0; file < 25; file += 1) writeFileSync(join(volumePath, 'deep', `file-${file}`), `${file}`);
  mkdirSync(join(project.folder, 'etc'));
  writeFileSync(join(project.folder, 'etc', 'app.conf'), 'conf');
  writeFileSync(join(project.folder, 'one.conf'), 'one');
  await project.service('web', {
    mounts: [
      volumeMount(data, '/data'),
      bindMount(join(project.folder, 'etc'), '/etc/app'),
      bindMount(join(project.folder, 'one.conf'), '/one.conf'),
    ],
  });
  await project.service('db', { labels: { 'holdfast.backup.command': 'echo the dump' } });
  backup = await readyBackup(server, project);
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await project?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Query {
  readonly components?: string;
  readonly part?: string;
  readonly path?: string;
  readonly format?: ArchiveFormat;
}

async function download(query: Query = {}): Promise<Response> {
  return await server.client.open('backup.download', { params: { backup }, query });
}

/** Unpacks with tar or unzip; answers the folder. */
async function unpack(query: Query): Promise<string> {
  const response = await download(query);
  const into = mkdtempSync(join(folder, 'unpacked-'));
  const archive = join(into, `archive.${query.format ?? 'tar.zst'}`);
  writeFileSync(archive, Buffer.from(await response.arrayBuffer()));
  if (query.format === 'zip') execFileSync('unzip', ['-qqX', archive, '-d', into]);
  else execFileSync('tar', ['-xpf', archive, '-C', into]);
  rmSync(archive);
  return into;
}

const partOf = (name: string): string => `${project.name}_${name}`;

describe('a download', () => {
  test.each(['tar.zst', 'tar.gz', 'tar', 'zip'] as const)(
    'as %s opens with ordinary tools, and proves itself',
    async (format) => {
      const into = await unpack({ format });
      const manifest = JSON.parse(readFileSync(join(into, 'holdfast-backup.json'), 'utf8'));
      expect(manifest).toMatchObject({ version: 1, backup: { id: backup, environmentName: project.name } });
      const paths = new Map(
        manifest.parts.map((part: { name: string; path: string }) => [part.name, part.path]),
      );
      const at = (name: string): string => join(into, String(paths.get(name)));
      execFileSync('diff', ['-r', '--no-dereference', volumePath, at(partOf('data'))]);
      expect(readFileSync(join(at('./etc'), 'app.conf'), 'utf8')).toBe('conf');
      expect(readFileSync(at('./one.conf'), 'utf8')).toBe('one');
      expect(readFileSync(at('db:command'), 'utf8')).toBe('the dump\n');
      execFileSync('sh', ['-c', 'cat checksums/* | sha256sum --quiet --strict -c'], { cwd: into });
    },
  );

  test('has a name for who saves it', async () => {
    const response = await download();
    expect(response.headers.get('content-type')).toBe('application/zstd');
    const name = `${project.name}-\\d{4}-\\d\\d-\\d\\d-${backup}.tar.zst`;
    expect(response.headers.get('content-disposition')).toMatch(new RegExp(`filename="${name}"`));
    await response.body?.cancel();
  });

  test('waits for a client that takes its time, and is not there for one that wants only its head', async () => {
    const response = await download();
    // More than what all buffers between them hold is waiting then.
    await sleep(1500);
    const plain = zstdDecompressSync(Buffer.from(await response.arrayBuffer()));
    expect(plain.length).toBeGreaterThan(9_000_000);
    const { url } = JSON.parse(readFileSync(join(server.dataDirectory, 'server.json'), 'utf8'));
    const head = await fetch(new URL(`/api/v1/backups/${backup}/download`, url), {
      method: 'HEAD',
      headers: {
        authorization: `Bearer ${readFileSync(join(server.dataDirectory, 'token'), 'utf8').trim()}`,
      },
    });
    expect(head.status).toBe(404);
  });

  test('says what of it an import refuses, and what a zip leaves out', async () => {
    const special = join(volumePath, 'special');
    execFileSync('sh', ['-c', 'mkdir "$0" && mknod "$0/null" c 1 3 && mkfifo "$0/größe"', special]);
    try {
      const odd = await readyBackup(server, project);
      const notesOf = async (format: ArchiveFormat) => {
        const params = { backup: odd };
        const response = await server.client.open('backup.download', { params, query: { format } });
        const archive = join(folder, `noted.${format}`);
        writeFileSync(archive, Buffer.from(await response.arrayBuffer()));
        const [program, ...args] = format === 'zip' ? ['unzip', '-p'] : ['tar', '-xOf'];
        const text = execFileSync(program ?? '', [...args, archive, 'holdfast-backup.json']);
        const inHeader = decodeArchiveNotes(response.headers.get(archiveNotesHeader));
        expect(JSON.parse(text.toString()).notes).toEqual(inHeader);
        return inHeader;
      };
      const paths = ['größe', 'null'].map((name) => `parts/${partOf('data')}/special/${name}`);
      expect(await notesOf('tar')).toEqual([{ kind: 'not-importable', count: 2, paths }]);
      expect(await notesOf('zip')).toEqual([{ kind: 'left-out', count: 2, paths }]);
    } finally {
      rmSync(special, { recursive: true });
    }
    expect((await download()).headers.get(archiveNotesHeader)).toBeNull();
  });

  test('of components has only their parts', async () => {
    const into = await unpack({ components: 'db' });
    expect(readdirSync(join(into, 'parts'))).toEqual(['db_command', 'image_holdfast-test_busybox']);
  });

  test('of a path is that file, or an archive of that folder', async () => {
    const part = partOf('data');
    const file = await download({ part, path: 'deep/er/ümläut "1".txt' });
    expect(await file.text()).toBe('deep');
    expect(file.headers.get('content-disposition')).toContain("filename*=UTF-8''%C3%BCml%C3%A4ut");
    const large = await download({ part, path: 'large' });
    expect(large.headers.get('content-length')).toBe('9000000');
    expect(Buffer.from(await large.arrayBuffer()).equals(readFileSync(join(volumePath, 'large')))).toBe(true);
    for (const format of ['tar', 'zip'] as const) {
      const into = await unpack({ part, path: '/deep', format });
      execFileSync('diff', ['-r', join(volumePath, 'deep'), into]);
    }
  });

  test('by a link needs no token, as long as it is valid', async () => {
    const params = { backup };
    const chosen = { part: './one.conf' };
    const { path, expiresAtMs } = await server.client.call('backup.link', {
      params,
      body: { ...chosen, validForSeconds: 60 },
    });
    expect(expiresAtMs - Date.now()).toBeGreaterThan(50_000);
    const { url } = JSON.parse(readFileSync(join(server.dataDirectory, 'server.json'), 'utf8'));
    const linked = await fetch(new URL(path, url));
    expect(await linked.text()).toBe('one');
    // Not the last one, which has bits that mean nothing.
    const changed = path.replace(/.(?=.{9}$)/, (letter) => (letter === 'A' ? 'B' : 'A'));
    const refused = await fetch(new URL(changed, url));
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ code: 'unauthenticated' });
    const notReady = server.client.call('backup.link', { params: { backup: 'bak_nothing' }, body: chosen });
    await expect(notReady).rejects.toMatchObject({ report: { code: 'backup-unknown' } });
  });

  test('that cannot be is an error, with its code', async () => {
    const part = partOf('data');
    const refused: readonly [Query, string, number][] = [
      [{ part: 'nothing' }, 'path-unknown', 404],
      [{ part, path: 'nothing' }, 'path-unknown', 404],
      [{ part, path: 'deep/../../x' }, 'usage-invalid', 400],
      [{ part, path: 'link' }, 'usage-invalid', 400],
      [{ part, components: 'web' }, 'usage-invalid', 400],
      [{ path: 'deep' }, 'usage-invalid', 400],
      [{ components: 'nobody' }, 'component-unknown', 404],
    ];
    for (const [query, code, status] of refused) {
      await expect(download(query), code).rejects.toMatchObject({ status, report: { code } });
    }
  });

  test('goes on when others break off, and when the server stops', async () => {
    const gone = await download({ format: 'tar' });
    await gone.body?.cancel();
    const response = await download({ part: partOf('data'), path: 'large' });
    expect(await server.stop()).toBe(0);
    expect((await response.arrayBuffer()).byteLength).toBe(9_000_000);
    await server.start();
  });

  test('breaks off, and never ends as if it were whole, where the repository is damaged', async () => {
    const { repository } = await server.client.call('backup.get', { params: { backup } });
    const packs = join(repository, 'data');
    const kept = join(folder, 'kept');
    execFileSync('cp', ['-a', packs, kept]);
    try {
      for (const entry of readdirSync(packs, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        const bytes = readFileSync(path);
        // Trees are in packs of their own, which are small.
        if (bytes.length > 1_000_000) writeFileSync(path, bytes.fill(0, 100, 10_000));
      }
      const whole = download({ format: 'tar' }).then(async (response) => await response.arrayBuffer());
      await expect(whole).rejects.toThrow();
    } finally {
      execFileSync('sh', ['-c', `rm -rf "$0" && mv "$1" "$0"`, packs, kept]);
    }
    await unpack({});
  });
});

describe('a list of files', () => {
  const list = async (query: { part: string; path?: string; limit?: number; after?: string }) =>
    await server.client.call('backup.files', { params: { backup }, query });

  test('has what is in a folder, with what is known of it', async () => {
    const { files, next } = await list({ part: partOf('data') });
    expect(next).toBeNull();
    expect(files.map(({ name, type, size }) => [name, type, size])).toEqual([
      ['deep', 'dir', 0],
      ['empty', 'file', 0],
      ['large', 'file', 9_000_000],
      ['link', 'symlink', 0],
    ]);
    expect(files[3]).toMatchObject({ linkTarget: 'large', mode: 0o777, uid: 0, gid: 0 });
    expect((await list({ part: './one.conf' })).files).toMatchObject([{ type: 'file', size: 3 }]);
  });

  test('comes page by page, each entry once', async () => {
    const names: string[] = [];
    let after: string | undefined;
    do {
      const page = await list({ part: partOf('data'), path: 'deep', limit: 7, ...(after && { after }) });
      names.push(...page.files.map(({ name }) => name));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(names).toEqual(readdirSync(join(volumePath, 'deep')).sort());
  });

  test('of what is not there is an error', async () => {
    await expect(list({ part: partOf('data'), path: 'no' })).rejects.toMatchObject({
      report: { code: 'path-unknown' },
    });
  });
});

describe('what differs between two backups', () => {
  test('is told part by part, and path by path', async () => {
    writeFileSync(join(volumePath, 'deep', 'file-3'), 'changed');
    writeFileSync(join(volumePath, 'added'), 'added');
    rmSync(join(volumePath, 'empty'));
    const newer = await readyBackup(server, project);
    const diff = async (from: string, to: string, limit?: number) =>
      await server.client.call('backup.diff', { params: { backup: from }, query: { with: to, limit } });
    const { differences, isMore } = await diff(backup, newer);
    expect(isMore).toBe(false);
    expect(differences.map(({ part, change, path }) => [part, change, path])).toEqual([
      [partOf('data'), 'added', 'added'],
      [partOf('data'), 'changed', 'deep/file-3'],
      [partOf('data'), 'removed', 'empty'],
    ]);
    expect(differences[1]).toMatchObject({ type: 'file', oldSize: 1, newSize: 7 });
    expect((await diff(newer, newer)).differences).toEqual([]);
    expect(await diff(newer, backup, 1)).toMatchObject({
      differences: [{ change: 'removed' }],
      isMore: true,
    });
    await expect(diff(backup, 'bak_nothing')).rejects.toMatchObject({ report: { code: 'backup-unknown' } });
  });
});

describe('the process that reads repositories', () => {
  test('ends after its server, also one that was killed', async () => {
    const { client } = server;
    await client.call('backup.files', { params: { backup }, query: { part: './etc' } });
    const running = (): string =>
      execFileSync('sh', ['-c', 'pgrep -f "data-server/src/main.ts" || true'], { encoding: 'utf8' });
    const before = running().trim().split('\n');
    await server.kill();
    for (let wait = 0; wait < 200 && before.some((pid) => running().includes(pid)); wait += 1)
      await sleep(50);
    expect(before.filter((pid) => pid !== '' && running().split('\n').includes(pid))).toEqual([]);
    await server.start();
    expect((await server.client.call('backup.get', { params: { backup } })).status).toBe('ready');
  });
});
