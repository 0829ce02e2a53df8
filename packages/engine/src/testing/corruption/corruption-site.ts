import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FileName } from '../../backend/backend.ts';
import { pathOf } from '../../backend/local/layout.ts';
import { openBackend } from '../../backend/open-backend.ts';
import type { BlobType } from '../../format/blob-type.ts';
import type { SnapshotId } from '../../format/ids.ts';
import { encodeLockFile } from '../../format/lock-file.ts';
import { localTimestamp, utcTimestamp } from '../../format/timestamp.ts';
import { initRepository } from '../../repository/init-repository.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { backupSources } from '../../snapshot/backup.ts';
import { ChangingTree } from '../changing-tree.ts';
import { linkTree } from '../link-tree.ts';
import { quickRuntime } from '../quick-runtime.ts';
import { snapshotOf } from '../test-repository.ts';
import type { DamageableKind } from './corruption.ts';

export const sitePassword = 'the first';
const passwords = [sitePassword, 'the second'] as const;
const runtime = quickRuntime();

/** A snapshot of the template, and a copy of what it was taken of. */
export interface KnownSnapshot {
  readonly id: SnapshotId;
  readonly source: string;
}

/** A sound repository with at least two files of each kind, of which copies are damaged. */
export class CorruptionSite {
  readonly path: string;
  readonly snapshots: readonly KnownSnapshot[];
  /** What the snapshots are of, and was changed since the last one. */
  readonly source: string;
  readonly #template: string;

  private constructor(path: string, snapshots: readonly KnownSnapshot[]) {
    this.path = path;
    this.#template = join(path, 'template');
    this.source = join(path, 'source');
    this.snapshots = snapshots;
  }

  static async make(path: string, seed: number): Promise<CorruptionSite> {
    const size = { largeFiles: 2, largeBytes: 700_000, smallFiles: 20 };
    const tree = new ChangingTree(join(path, 'source'), seed, size);
    const backend = openBackend(join(path, 'template'));
    const repository = await initRepository({ backend, passwords: [...passwords], runtime });
    const snapshots: KnownSnapshot[] = [];
    for (let version = 1; version <= 2; version += 1) {
      tree.change();
      const id = await backUpData(repository, tree.path);
      const source = join(path, `source-${version}`);
      cpSync(tree.path, source, { recursive: true, preserveTimestamps: true });
      snapshots.push({ id, source });
    }
    tree.change();
    await initRepository({ backend: openBackend(join(path, 'other')), passwords: [passwords[0]], runtime });
    return new CorruptionSite(path, snapshots);
  }

  /** A fresh copy of the repository; with locks of somebody elsewhere, if those are to be damaged. */
  async copy({ hasLocks }: { readonly hasLocks: boolean }): Promise<string> {
    const copy = join(this.path, 'copy');
    rmSync(copy, { recursive: true, force: true });
    linkTree(this.#template, copy);
    if (!hasLocks) return copy;
    const { storage } = await this.open(copy);
    for (const pid of [1, 2]) {
      const time = localTimestamp(BigInt(Date.now()) * 1_000_000n);
      const identity = { hostname: 'elsewhere', username: 'smith', uid: 0, gid: 0, pid };
      await storage.files.save('lock', encodeLockFile({ time, exclusive: false, ...identity }));
    }
    return copy;
  }

  async open(path: string, password: string = passwords[0]): Promise<Repository> {
    return await openRepository({ backend: openBackend(path), password, runtime });
  }

  /** Opens a copy with the first password that does. @throws what the last one gave */
  async openWithAny(path: string): Promise<Repository> {
    try {
      return await this.open(path, passwords[0]);
    } catch {
      return await this.open(path, passwords[1]);
    }
  }

  /** Two files of that kind, as paths: the one to damage and another. `name` is what names the first. */
  async filesOf(
    copy: string,
    kind: DamageableKind,
  ): Promise<{ readonly path: string; readonly other: string; readonly name: string }> {
    if (kind === 'config') {
      const config = { kind: 'config' } as const;
      // A copy: what is swapped into it must not be there the next time.
      const other = join(this.path, 'other-config');
      rmSync(other, { force: true });
      copyFileSync(pathOf(join(this.path, 'other'), config), other);
      return { path: pathOf(copy, config), other, name: 'config' };
    }
    const files = await this.#filesOf(copy, kind);
    const [first, second] = files;
    if (first === undefined || second === undefined) throw new Error(`There are not two files: ${kind}.`);
    return {
      path: pathOf(copy, first),
      other: pathOf(copy, second),
      name: first.kind === 'config' ? '' : first.id,
    };
  }

  async #filesOf(copy: string, kind: Exclude<DamageableKind, 'config'>): Promise<FileName[]> {
    const repository = await this.open(copy);
    if (kind === 'tree pack' || kind === 'data pack') {
      await repository.refreshIndex();
      const type: BlobType = kind === 'tree pack' ? 'tree' : 'data';
      const ids = new Set(
        [...repository.storage.indexes.current.blobs()]
          .filter((blob) => blob.type === type)
          .map(({ packId }) => packId),
      );
      return [...ids].map((id) => ({ kind: 'data', id }));
    }
    const listed = await Array.fromAsync(repository.storage.backend.list(kind));
    return listed.map(({ id }) => ({ kind, id }));
  }

  /** An empty directory to restore to. */
  freshTarget(): string {
    const target = join(this.path, 'restored');
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target);
    return target;
  }
}

/** One snapshot of a directory, as `data`. */
export async function backUpData(repository: Repository, path: string): Promise<SnapshotId> {
  await using lock = await repository.lock('shared');
  await using writer = await repository.openWriter({ lock });
  const { blobs, polynomial, snapshots } = repository;
  const sources = [{ path, treePath: ['data'] as const }];
  const { treeId } = await backupSources({ writer, blobs, polynomial, sources });
  await writer.flush();
  return (await snapshots.save(snapshotOf(treeId, { time: utcTimestamp(Date.now()) }), { lock })).id;
}
