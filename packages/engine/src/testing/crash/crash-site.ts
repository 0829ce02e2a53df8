import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isHoldfastError } from '@holdfast/base';
import type { ListedFileKind } from '../../backend/backend.ts';
import { openBackend } from '../../backend/open-backend.ts';
import { checkRepository } from '../../maintenance/check.ts';
import { initRepository } from '../../repository/init-repository.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { systemRuntime } from '../../repository/runtime.ts';
import type { Snapshot } from '../../repository/snapshot-store.ts';
import { restoreNode } from '../../snapshot/restore.ts';
import { sourcesFromArguments } from '../../snapshot/source-arguments.ts';
import { ChangingTree, type ChangingTreeSize } from '../changing-tree.ts';
import { quickScrypt } from '../manual-runtime.ts';
import { unlockAfterKill } from '../pid-namespace.ts';
import type { StockRestic } from '../stock-restic.ts';
import { treeDigest } from '../tree-digest.ts';
import { runProcess } from './run-victim.ts';

export const crashPassword = 'killed but sound';

export interface CrashSiteOptions {
  /** An empty directory. */
  readonly path: string;
  readonly restic: StockRestic;
  readonly seed: number;
  readonly size: ChangingTreeSize;
}

interface Opening {
  readonly path?: string;
  readonly password?: string;
}

/** A source, the repository that it is backed up to, and what is known of every snapshot in it. */
export class CrashSite {
  readonly path: string;
  readonly repository: string;
  readonly restic: StockRestic;
  readonly tree: ChangingTree;
  /** By the tag of a snapshot, the digest of what it was taken of. */
  readonly #digests = new Map<string, string>();
  #tag = '';

  private constructor({ path, restic, seed, size }: CrashSiteOptions) {
    this.path = path;
    this.repository = join(path, 'repository');
    this.restic = restic;
    this.tree = new ChangingTree(join(path, 'source'), seed, size);
  }

  static async make(options: CrashSiteOptions): Promise<CrashSite> {
    const site = new CrashSite(options);
    const runtime = { ...systemRuntime(), scrypt: quickScrypt };
    const backend = openBackend(site.repository);
    await initRepository({ backend, passwords: [crashPassword], runtime });
    site.change();
    return site;
  }

  /** The tag for snapshots of the source as it is now. */
  get tag(): string {
    return this.#tag;
  }

  change(): void {
    const { version, digest } = this.tree.change();
    this.#tag = `v${version}`;
    this.#digests.set(this.#tag, digest);
  }

  async open({ path = this.repository, password = crashPassword }: Opening = {}): Promise<Repository> {
    return await openRepository({ backend: openBackend(path), password });
  }

  /** Whether the password opens the repository. */
  async opens(password: string): Promise<boolean> {
    try {
      await this.open({ password });
      return true;
    } catch (error) {
      if (isHoldfastError(error, 'password-wrong')) return false;
      throw error;
    }
  }

  /** The ids of all files of each kind. */
  async contents(): Promise<Readonly<Record<ListedFileKind, readonly string[]>>> {
    const backend = openBackend(this.repository);
    const idsOf = async (kind: ListedFileKind): Promise<string[]> =>
      (await Array.fromAsync(backend.list(kind))).map(({ id }) => id);
    return {
      key: await idsOf('key'),
      lock: await idsOf('lock'),
      snapshot: await idsOf('snapshot'),
      index: await idsOf('index'),
      data: await idsOf('data'),
    };
  }

  async snapshots(): Promise<readonly Snapshot[]> {
    const { snapshots, damaged } = await (await this.open()).snapshots.list();
    if (damaged.length > 0) throw new Error(`Snapshots are damaged: ${damaged.map(({ id }) => id)}`);
    return snapshots;
  }

  /** A copy of the repository's files as they are: links, for no file of a repository is ever changed. */
  async copy(): Promise<string> {
    const copy = join(this.path, 'copy');
    rmSync(copy, { recursive: true, force: true });
    const { status, errors } = await runProcess('cp', ['-al', this.repository, copy]);
    if (status !== 0) throw new Error(errors);
    return copy;
  }

  /** @throws Error with everything that this check of ours, with all data, says about damage */
  async checkWithOurs(path: string): Promise<void> {
    const repository = await this.open({ path });
    const findings = await Array.fromAsync(checkRepository(repository, { readData: true }));
    const errors = findings.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) throw new Error(`Check found: ${JSON.stringify(errors)}`);
  }

  /** @throws Error with what stock restic says */
  async checkWithRestic(path: string): Promise<void> {
    await this.restic.run(path, crashPassword, ...unlockAfterKill);
    await this.restic.run(path, crashPassword, 'check', '--read-data');
  }

  /** Restores the snapshot. @throws Error when it is not what was backed up */
  async restore(path: string, snapshot: Snapshot, by: 'ours' | 'restic'): Promise<void> {
    const target = join(this.path, 'restored');
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target);
    if (by === 'ours') await this.#restoreWithOurs(path, snapshot, target);
    else {
      const what = `${snapshot.id}:${this.tree.path}`;
      await this.restic.run(path, crashPassword, 'restore', what, '--target', target);
    }
    const wanted = this.#digests.get(snapshot.tags[0] ?? '');
    const restored = treeDigest(by === 'ours' ? join(target, basename(this.tree.path)) : target);
    if (restored !== wanted)
      throw new Error(`${by}: ${snapshot.id} (${snapshot.tags}) is not what was saved.`);
    rmSync(target, { recursive: true });
  }

  async #restoreWithOurs(path: string, snapshot: Snapshot, target: string): Promise<void> {
    const repository = await this.open({ path });
    await repository.refreshIndex();
    const [source] = sourcesFromArguments([this.tree.path]);
    if (source === undefined) throw new Error('The source has no place in a snapshot.');
    const { failures } = await restoreNode({
      blobs: repository.blobs,
      treeId: snapshot.tree,
      nodePath: source.treePath,
      targetPath: join(target, basename(this.tree.path)),
      options: { syncTarget: false },
    });
    if (failures.length > 0) throw new Error(`Restore failed: ${JSON.stringify(failures)}`);
  }
}
