import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openBackend, openRepository } from '@holdfast/engine';
import { type ImportTask, type Manifest, snapshotTags } from '@holdfast/protocol';
import { describe, expect, it } from 'vitest';
import { StartedMover } from './testing/started-mover.ts';
import { ownPassword, type TestPlace, testPlace } from './testing/task-specs.ts';

const files = { name: 'shop_files' };
const command = {
  name: 'db:command',
  source: { kind: 'command' as const, component: 'db' },
  mountPoints: [],
};

async function run(task: ImportTask) {
  const mover = new StartedMover(task);
  const result = await mover.runThrough();
  const events = mover.writtenEvents;
  const committed = events.find(({ type }) => type === 'committed');
  const manifest = committed?.type === 'committed' ? committed.manifest : null;
  return { result, manifest, events };
}

/** Whether any backup counts in the repository. */
async function manifestCount({ repository }: TestPlace): Promise<number> {
  if (!existsSync(repository)) return 0;
  const opened = await openRepository({ backend: openBackend(repository), password: ownPassword });
  const { snapshots } = await opened.snapshots.list({ tags: [snapshotTags.manifest] });
  return snapshots.length;
}

async function restore(place: TestPlace, manifest: Manifest | null, part: string): Promise<string> {
  if (manifest === null) throw new Error('Nothing was committed.');
  const target = join(place.folder, `restored-${part}`);
  const paths = Object.fromEntries(
    manifest.parts.map(({ name }) => [name, join(place.folder, `other-${name}`)]),
  );
  const mover = new StartedMover(place.restore(manifest, { ...paths, [part]: target }));
  expect(await mover.runThrough()).toMatchObject({ outcome: 'done' });
  return target;
}

/** A folder with something of each kind; answers its path. */
function makeFiles(place: TestPlace): string {
  const folder = join(place.folder, 'files');
  mkdirSync(join(folder, 'deep'), { recursive: true });
  writeFileSync(join(folder, 'deep', 'ümläut'), 'text', { mode: 0o640 });
  writeFileSync(join(folder, 'large'), Buffer.alloc(3_000_000, 'large'));
  writeFileSync(join(folder, 'empty'), '');
  symlinkSync('large', join(folder, 'link'));
  return folder;
}

function tarOf(place: TestPlace, folder: string, ...options: readonly string[]): string {
  const path = join(place.folder, 'archive');
  execFileSync('tar', ['-cf', path, ...options, '-C', folder, '.']);
  return path;
}

const fromFile = (path: string): ImportTask['source'] => ({ kind: 'file', path });

async function serve(answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/archive?signature=secret`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('an archive of files', () => {
  it.each([[[]], [['--gzip']]])('becomes what is in a mount, exactly: tar %j', async (options) => {
    await using place = await testPlace();
    const folder = makeFiles(place);
    const archive = tarOf(place, folder, ...options);
    const { result, manifest } = await run(place.importing(fromFile(archive), [files]));
    expect(result).toMatchObject({ outcome: 'done', error: null });
    expect(manifest).toMatchObject({
      kind: 'imported',
      mode: 'live',
      parts: [{ name: 'shop_files', source: { kind: 'volume' }, files: 3, bytes: 3_000_004 }],
    });
    const restored = await restore(place, manifest, 'shop_files');
    execFileSync('diff', ['-r', '--no-dereference', folder, restored]);
    expect(existsSync(archive)).toBe(true);
  });

  it('comes from a URL, of which nothing stays but the backup', async () => {
    await using place = await testPlace();
    const folder = makeFiles(place);
    const archive = readFileSync(tarOf(place, folder));
    await using site = await serve((_, response) => response.end(archive));
    const source = { kind: 'url' as const, url: site.url, allowedRanges: ['127.0.0.0/8'] };
    const task = place.importing(source, [files]);
    const { result, manifest, events } = await run(task);
    expect(result).toMatchObject({ outcome: 'done', error: null });
    execFileSync('diff', ['-r', '--no-dereference', folder, await restore(place, manifest, 'shop_files')]);
    expect(readdirSync(task.scratchPath)).toEqual([]);
    expect(JSON.stringify(events)).not.toMatch(/secret|signature/);
    expect(JSON.stringify(events)).toContain('127.0.0.1');
  });

  it.each([
    ['leads out of it', ['--transform=s|^|../|', '-P'], 'archive-refused'],
    ['has absolute paths', ['--transform=s|^|/|', '-P'], 'archive-refused'],
  ])('makes no backup where it %s', async (_, options, code) => {
    await using place = await testPlace();
    const archive = tarOf(place, makeFiles(place), ...options);
    const { result, manifest } = await run(place.importing(fromFile(archive), [files]));
    expect(result).toMatchObject({ outcome: 'failed', error: { code } });
    expect(manifest).toBeNull();
    expect(await manifestCount(place)).toBe(0);
  });

  it('makes no backup where it is cut off, or has more than it may', async () => {
    await using place = await testPlace();
    const archive = tarOf(place, makeFiles(place));
    const limits = { bytes: 100, durationMs: 1000, archive: { entries: 3, unpackedBytes: 1000, ratio: 2 } };
    const tooMuch = await run(place.importing(fromFile(archive), [files], { limits }));
    expect(tooMuch.result).toMatchObject({ outcome: 'failed', error: { code: 'archive-limit-reached' } });
    writeFileSync(archive, readFileSync(archive).subarray(0, 1_000_000));
    const cutOff = await run(place.importing(fromFile(archive), [files]));
    expect(cutOff.result).toMatchObject({ outcome: 'failed', error: { code: 'archive-damaged' } });
    expect(await manifestCount(place)).toBe(0);
  });
});

describe('a dump', () => {
  const dump = `${'insert\n'.repeat(1000)}-- dump complete\n`;

  it('becomes what a backup command printed', async () => {
    await using place = await testPlace();
    const path = join(place.folder, 'dump');
    writeFileSync(path, dump);
    const places = [files, { ...command, endPattern: 'complete\\n$' }];
    const { result, manifest } = await run(place.importing(fromFile(path), places));
    expect(result).toMatchObject({ outcome: 'done', error: null });
    expect(manifest?.parts).toMatchObject([{ name: 'db:command', source: command.source }]);
    expect(readFileSync(await restore(place, manifest, 'db:command'), 'utf8')).toBe(dump);
  });

  it.each([
    [
      'is not whole',
      dump.slice(0, -5),
      [{ ...command, endPattern: 'complete\\n$' }],
      'command-output-incomplete',
    ],
    ['nothing takes', dump, [files], 'import-refused'],
    ['is empty', '', [command], 'import-refused'],
  ] as const)('makes no backup where it %s', async (_, text, places, code) => {
    await using place = await testPlace();
    const path = join(place.folder, 'dump');
    writeFileSync(path, text);
    const { result } = await run(place.importing(fromFile(path), places));
    expect(result).toMatchObject({ outcome: 'failed', error: { code } });
    expect(await manifestCount(place)).toBe(0);
  });
});

describe('an archive that a download made', () => {
  /** As a download writes it; answers its path. */
  function archived(place: TestPlace, change: (folder: string) => void = () => {}): string {
    const top = join(place.folder, 'top');
    mkdirSync(join(top, 'parts', 'old_files'), { recursive: true });
    mkdirSync(join(top, 'checksums'));
    writeFileSync(join(top, 'parts', 'old_files', 'a'), 'a');
    writeFileSync(join(top, 'parts', 'db_command'), 'the dump');
    const part = (name: string, path: string) => ({ name, path, files: 1, bytes: 1 });
    const manifest = {
      version: 1,
      backup: { id: 'bak_0', kind: 'manual', mode: 'consistent', environmentName: 'old', createdAtMs: 1 },
      parts: [
        {
          ...part('old_files', 'parts/old_files'),
          source: { kind: 'volume', name: 'old_files', driver: 'local', labels: {}, options: {} },
          mountPoints: [{ component: 'web', path: '/data', readOnly: false }],
        },
        { ...part('db:command', 'parts/db_command'), source: command.source, mountPoints: [] },
      ],
    };
    writeFileSync(join(top, 'holdfast-backup.json'), JSON.stringify(manifest));
    const names = ['holdfast-backup.json', 'parts/old_files/a', 'parts/db_command'];
    const lines = names.map((name) => `${sha256(readFileSync(join(top, name)))}  ${name}\n`);
    writeFileSync(join(top, 'checksums', '1'), lines.join(''));
    change(top);
    const path = join(place.folder, 'archive');
    execFileSync('tar', ['-cf', path, '-C', top, 'holdfast-backup.json', 'parts', 'checksums']);
    return path;
  }

  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

  it('becomes all of its parts, as those of this environment', async () => {
    await using place = await testPlace();
    const { result, manifest } = await run(place.importing(fromFile(archived(place)), [files, command]));
    expect(result).toMatchObject({ outcome: 'done', error: null });
    expect(manifest).toMatchObject({
      mode: 'consistent',
      parts: [
        { name: 'shop_files', files: 1, bytes: 1 },
        { name: 'db:command', files: 1, bytes: 8 },
      ],
    });
    expect(readdirSync(await restore(place, manifest, 'shop_files'))).toEqual(['a']);
  });

  it('can be taken in part; a part with no place is told', async () => {
    await using place = await testPlace();
    const archive = archived(place);
    const one = await run(place.importing(fromFile(archive), [files, command], { component: 'db' }));
    expect(one.manifest?.parts.map(({ name }) => name)).toEqual(['db:command']);
    const { result } = await run(place.importing(fromFile(archive), [files]));
    expect(result).toMatchObject({ outcome: 'warnings', warnings: [/^db:command: /] });
  });

  it.each([
    ['a file is another', (top: string) => writeFileSync(join(top, 'parts', 'old_files', 'a'), 'b')],
    ['a file is added', (top: string) => writeFileSync(join(top, 'parts', 'old_files', 'b'), 'b')],
    ['it is not described', (top: string) => writeFileSync(join(top, 'holdfast-backup.json'), '{}')],
  ])('makes no backup where %s', async (_, change) => {
    await using place = await testPlace();
    const archive = archived(place, change);
    const { result } = await run(place.importing(fromFile(archive), [files, command]));
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'archive-damaged' } });
    expect(await manifestCount(place)).toBe(0);
  });
});

describe('a URL', () => {
  it('that may not be used leaves no trace, not even a repository', async () => {
    await using place = await testPlace();
    const source = { kind: 'url' as const, url: 'http://127.0.0.1:1/?secret', allowedRanges: [] };
    const { result, events } = await run(place.importing(source, [files]));
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'url-refused' } });
    expect(JSON.stringify(events)).not.toContain('secret');
    expect(existsSync(place.repository)).toBe(false);
  });
});
