import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBackend } from '../backend/open-backend.ts';
import { ChunkWindows } from '../chunker/chunk-windows.ts';
import { sha256 } from '../crypto/hash.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId, TreeId } from '../format/ids.ts';
import { encodeJson } from '../format/json.ts';
import { decodeTree } from '../format/tree-codec.ts';
import { checkRepository } from '../maintenance/check.ts';
import { forgetSnapshots } from '../maintenance/forget.ts';
import { cutIntoChunks } from '../testing/cut-into-chunks.ts';
import { stockRestics } from '../testing/stock-restic.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { testBytes } from '../testing/test-bytes.ts';
import { snapshotOf } from '../testing/test-repository.ts';
import type { BlobWriter } from './blob-store.ts';
import { initRepository } from './init-repository.ts';
import { openRepository } from './open-repository.ts';
import type { Repository } from './repository.ts';

const mebibyte = 1024 * 1024;

interface ListedSnapshot {
  readonly id: string;
  readonly tree: string;
  readonly hostname: string;
  readonly tags?: readonly string[];
}

describe.each(await stockRestics())('beside $version', (restic) => {
  it('a repository of ours passes its check, with both passwords', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'repository');
    const repository = await initRepository({ backend: openBackend(path), passwords: ['own', 'vault'] });
    const { snapshotId, contents } = await saveFiles(repository);

    for (const password of ['own', 'vault']) {
      await restic.run(path, password, 'check', '--read-data');
      const listed: ListedSnapshot[] = JSON.parse(await restic.run(path, password, 'snapshots', '--json'));
      expect(listed).toEqual([expect.objectContaining({ id: snapshotId, hostname: 'anvil', tags: ['a<b'] })]);
      for (const blob of contents) {
        const dumped = await restic.run(path, password, 'cat', 'blob', sha256(blob));
        expect(dumped.length).toBeGreaterThan(0);
      }
    }
    expect(await restic.run(path, 'own', 'list', 'locks')).toBe('');
    await expect(restic.run(path, 'wrong', 'snapshots')).rejects.toThrow('wrong password');
  });

  it('what it writes opens, lists, checks and reads back', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'repository');
    const source = join(directory.path, 'source');
    await mkdir(source);
    const large = testBytes('large', 20 * mebibyte);
    const files = {
      large,
      small: Buffer.from('small'),
      text: Buffer.alloc(5 * mebibyte, 'again and again '),
      empty: Buffer.alloc(0),
    };
    for (const [name, contents] of Object.entries(files)) await writeFile(join(source, name), contents);
    await restic.run(path, 'secret', 'init');
    await restic.run(path, 'secret', 'backup', source, '--tag', 'one,two', '--host', 'forge');

    const repository = await openRepository({ backend: openBackend(path), password: 'secret' });
    await using lock = await repository.lock('shared');
    const { snapshots, damaged } = await repository.snapshots.list();
    expect(damaged).toEqual([]);
    expect(snapshots).toEqual([
      expect.objectContaining({ hostname: 'forge', tags: ['one', 'two'], paths: [source] }),
    ]);
    expect(await Array.fromAsync(checkRepository(repository, { readData: true }))).toEqual([]);

    await repository.refreshIndex();
    const latest = await repository.snapshots.find('latest');
    const nodes = await filesBeneath(repository, latest.tree);
    expect(new Set(nodes.keys())).toEqual(new Set(Object.keys(files)));
    for (const [name, contents] of Object.entries(files)) {
      const chunks = await Promise.all(
        (nodes.get(name) ?? []).map((id) => repository.blobs.readBlob('data', id)),
      );
      expect(Buffer.concat(chunks).equals(contents)).toBe(true);
    }
    expect(nodes.get('large')).toEqual(await chunkIds(repository, large));

    expect(await forgetSnapshots(repository, [latest.id], { lock })).toMatchObject({ removed: [latest.id] });
    expect(JSON.parse(await restic.run(path, 'secret', 'snapshots', '--json'))).toEqual([]);
  });

  it('both write into one repository, and store what the other has only once', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'repository');
    const repository = await initRepository({ backend: openBackend(path), passwords: ['secret'] });
    const bytes = testBytes('shared', 24 * mebibyte);
    {
      await using lock = await repository.lock('shared');
      await using writer = await repository.openWriter({ lock });
      await saveChunks(repository, writer, bytes);
      await writer.flush();
      const file = join(directory.path, 'file');
      await writeFile(file, bytes);
      // Under our shared lock: theirs is shared too.
      const report = await restic.run(path, 'secret', 'backup', file, '--json');
      const summary = report
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
        .find((line) => line.message_type === 'summary');
      expect(summary.data_blobs).toBe(0);
      expect(summary.data_added).toBeLessThan(100_000);
    }
    {
      await using lock = await repository.lock('shared');
      await using writer = await repository.openWriter({ lock });
      for (const { isNew } of await saveChunks(repository, writer, bytes)) expect(isNew).toBe(false);
    }
    await restic.run(path, 'secret', 'check', '--read-data');
  });

  it('an exclusive lock of ours keeps it out, and it shows the holder', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'repository');
    const repository = await initRepository({ backend: openBackend(path), passwords: ['secret'] });
    await using _lock = await repository.lock('exclusive');
    const checking = restic.run(path, 'secret', 'check');
    await expect(checking).rejects.toThrow(new RegExp(`locked exclusively by PID ${process.pid}`));
  });

  it('its keys and ours open the same repository', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'repository');
    const backend = openBackend(path);
    await restic.run(path, 'theirs', 'init');
    const repository = await openRepository({ backend, password: 'theirs' });
    const added = await repository.keys.add('ours');
    await restic.run(path, 'ours', 'check');
    const newPassword = join(directory.path, 'password');
    await writeFile(newPassword, 'third\n');
    await restic.run(path, 'ours', 'key', 'add', '--new-password-file', newPassword);
    await openRepository({ backend, password: 'third' });
    await using lock = await repository.lock('exclusive');
    await repository.keys.remove(added, { lock });
    await expect(openRepository({ backend, password: 'ours' })).rejects.toMatchObject({
      code: 'password-wrong',
    });
  });

  it('its prune leaves what we read', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'repository');
    const backend = openBackend(path);
    const repository = await initRepository({ backend, passwords: ['secret'] });
    const { snapshotId, contents } = await saveFiles(repository);
    {
      await using lock = await repository.lock('shared');
      await using writer = await repository.openWriter({ lock });
      await writer.saveBlob('data', randomBytes(5 * mebibyte));
      await writer.flush();
    }
    await restic.run(path, 'secret', 'prune', '--max-unused', '0');
    await repository.refreshIndex();
    expect((await repository.snapshots.find(snapshotId)).id).toBe(snapshotId);
    for (const blob of contents) {
      const read = await repository.blobs.readBlob('data', asId<BlobId>(sha256(blob)));
      expect(Buffer.compare(read, blob)).toBe(0);
    }
    expect(await Array.fromAsync(checkRepository(repository, { readData: true }))).toEqual([]);
  });
});

/** A snapshot of three files in one directory. */
async function saveFiles(repository: Repository): Promise<{ snapshotId: string; contents: Buffer[] }> {
  const contents = [
    Buffer.from('text of a small file'),
    randomBytes(mebibyte),
    Buffer.alloc(2 * mebibyte, 'pattern '),
  ];
  await using lock = await repository.lock('shared');
  await using writer = await repository.openWriter({ lock });
  const time = '2026-01-01T00:00:00Z';
  const nodes = [];
  for (const [n, bytes] of contents.entries()) {
    const { id } = await writer.saveBlob('data', bytes);
    const times = { mode: 420, mtime: time, atime: time, ctime: time, uid: 0, gid: 0 };
    nodes.push({ name: `file${n}`, type: 'file', ...times, size: bytes.length, links: 1, content: [id] });
  }
  const { id: tree } = await writer.saveBlob(
    'tree',
    Buffer.concat([encodeJson({ nodes }), Buffer.from('\n')]),
  );
  await writer.flush();
  const snapshot = await repository.snapshots.save(snapshotOf(tree, { tags: ['a<b'] }), { lock });
  return { snapshotId: snapshot.id, contents };
}

/** The chunks of every file beneath a tree, by the file's name. */
async function filesBeneath(repository: Repository, id: TreeId): Promise<Map<string, readonly BlobId[]>> {
  const files = new Map<string, readonly BlobId[]>();
  for (const node of decodeTree(await repository.blobs.readBlob('tree', id)).nodes) {
    if (node.type === 'file') files.set(node.name, node.content ?? []);
    if (node.subtree === undefined) continue;
    for (const [name, content] of await filesBeneath(repository, node.subtree)) files.set(name, content);
  }
  return files;
}

async function chunksOf(repository: Repository, bytes: Buffer): Promise<Buffer[]> {
  return await cutIntoChunks(new ChunkWindows(repository.polynomial), bytes);
}

async function chunkIds(repository: Repository, bytes: Buffer): Promise<string[]> {
  return (await chunksOf(repository, bytes)).map(sha256);
}

async function saveChunks(
  repository: Repository,
  writer: BlobWriter,
  bytes: Buffer,
): Promise<{ readonly isNew: boolean }[]> {
  return await Promise.all(
    (await chunksOf(repository, bytes)).map((chunk) => writer.saveBlob('data', chunk)),
  );
}
