import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AdoptTask,
  adoptTaskSchema,
  type BackupTask,
  backupIdSchema,
  backupTaskSchema,
  type CodeTask,
  codeTaskSchema,
  type FeedTask,
  type ForgetTask,
  feedTaskSchema,
  forgetTaskSchema,
  type ImportTask,
  type InspectTask,
  importTaskSchema,
  inspectTaskSchema,
  type Manifest,
  type PruneTask,
  pruneTaskSchema,
  type RebuildTask,
  type RestoreTask,
  type ReviseTask,
  rebuildTaskSchema,
  restoreTaskSchema,
  reviseTaskSchema,
  type UnpackTask,
  unpackTaskSchema,
} from '@holdfast/protocol';

export const ownPassword = 'own password';
export const recoveryPassword = 'recovery password';

type PartSpec = Partial<BackupTask['parts'][number]> & { readonly name: string; readonly path: string };

/** A folder with a repository to be, and tasks for it. */
export interface TestPlace extends AsyncDisposable {
  readonly folder: string;
  readonly repository: string;
  backup(parts: readonly PartSpec[], changes?: Partial<BackupTask>): BackupTask;
  /** Of a source that becomes one of the places. */
  importing(
    source: ImportTask['source'],
    places: readonly Partial<ImportTask['places'][number]>[],
    changes?: Partial<ImportTask>,
  ): ImportTask;
  restore(manifest: Manifest, paths: Readonly<Record<string, string>>): RestoreTask;
  feed(
    manifest: Manifest,
    command: Omit<FeedTask['commands'][number], 'name' | 'treeId' | 'bytes'>,
  ): FeedTask;
  forget(...manifests: readonly Manifest[]): ForgetTask;
  prune(): PruneTask;
  revise(manifest: Manifest, pinReason: string | null): ReviseTask;
  inspect(manifests: readonly Manifest[], changes?: Partial<InspectTask>): InspectTask;
  /** Of its part `code`; all others are taken for bound. */
  code(manifest: Manifest): CodeTask;
  /** Of `project` in its part `code`. */
  unpack(manifest: Manifest, path: string): UnpackTask;
  /** Opened with the recovery key; `newPassword` is to open it afterwards. */
  rebuild(newPassword: string): RebuildTask;
  /** Of a repository of stock restic's; always for the same environment. */
  adopt(password: string, changes?: Partial<AdoptTask>): AdoptTask;
}

export async function testPlace(): Promise<TestPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-mover-'));
  const repository = join(folder, 'repository');
  const base = () => {
    const taskId = `tsk_${newId()}`;
    const scratchPath = join(folder, `${taskId}.scratch`);
    mkdirSync(scratchPath);
    return {
      version: 1,
      taskId,
      jobId: `job_${newId()}`,
      epoch: 1,
      eventsPath: join(folder, `${taskId}.jsonl`),
      scratchPath,
      repository: { location: repository, password: ownPassword },
    };
  };
  const adoptingEnvironment = {
    ...manifest().environment,
    name: 'laptop',
  };
  return {
    folder,
    repository,
    backup: (parts, changes = {}) =>
      backupTaskSchema.parse({
        ...base(),
        kind: 'backup',
        manifest: manifest(),
        initialize: { recoveryPassword },
        parts: parts.map((part) => ({
          source: { kind: 'bind', path: part.path },
          mountPoints: [{ component: 'web', path: '/data', readOnly: false }],
          parentSnapshotId: null,
          mustNotBeEmpty: false,
          ...part,
        })),
        commands: [],
        code: null,
        images: [],
        ...changes,
      }),
    importing: (source, places, changes = {}) =>
      importTaskSchema.parse({
        ...base(),
        kind: 'import',
        manifest: { ...manifest(), kind: 'imported', mode: 'live' },
        initialize: { recoveryPassword },
        source,
        limits: {
          bytes: 100_000_000,
          durationMs: 60_000,
          archive: { entries: 1000, unpackedBytes: 100_000_000, ratio: 1000 },
        },
        places: places.map((place) => ({
          source: { kind: 'volume', name: place.name, driver: 'local', labels: {}, options: {} },
          mountPoints: [{ component: 'web', path: '/data', readOnly: false }],
          endPattern: null,
          ...place,
        })),
        component: null,
        part: null,
        ...changes,
      }),
    restore: ({ backupId, parts }, paths) =>
      restoreTaskSchema.parse({
        ...base(),
        kind: 'restore',
        backupId,
        parts: parts.map(({ name, snapshotId, treeId, files, bytes }) => {
          return {
            name,
            snapshotId,
            treeId,
            files,
            bytes,
            path: paths[name],
            nodePath: ['data'],
            only: null,
            kept: [],
          };
        }),
      }),
    feed: ({ backupId, parts }, command) =>
      feedTaskSchema.parse({
        ...base(),
        kind: 'feed',
        backupId,
        commands: parts.map(({ name, treeId, bytes }) => ({ name, treeId, bytes, ...command })),
      }),
    forget: (...manifests) =>
      forgetTaskSchema.parse({
        ...base(),
        kind: 'forget',
        backupIds: manifests.map(({ backupId }) => backupId),
      }),
    prune: () => pruneTaskSchema.parse({ ...base(), kind: 'prune' }),
    revise: ({ backupId }, pinReason) =>
      reviseTaskSchema.parse({ ...base(), kind: 'revise', backupId, pinReason }),
    inspect: (manifests, changes = {}) =>
      inspectTaskSchema.parse({
        ...base(),
        kind: 'inspect',
        backups: manifests.map(({ backupId, parts }) => ({ backupId, parts })),
        isThorough: false,
        ...changes,
      }),
    code: ({ parts }) =>
      codeTaskSchema.parse({
        ...base(),
        kind: 'code',
        treeId: treeOf(parts, 'code'),
        binds: parts.flatMap(({ name, treeId }) => (name === 'code' ? [] : [{ name, treeId }])),
        images: [],
      }),
    unpack: ({ parts }, path) =>
      unpackTaskSchema.parse({
        ...base(),
        kind: 'unpack',
        name: 'code',
        treeId: treeOf(parts, 'code'),
        nodePath: ['data', 'project'],
        path,
      }),
    rebuild: (newPassword) =>
      rebuildTaskSchema.parse({
        ...base(),
        kind: 'rebuild',
        repository: { location: repository, password: recoveryPassword },
        ownPassword: newPassword,
      }),
    adopt: (password, changes = {}) =>
      adoptTaskSchema.parse({
        ...base(),
        kind: 'adopt',
        repository: { location: repository, password },
        environment: adoptingEnvironment,
        createdBy: 'tester',
        ownPassword,
        recoveryPassword,
        isDryRun: false,
        ...changes,
      }),
    [Symbol.asyncDispose]: async () => {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function manifest() {
  return {
    version: 1,
    revision: 1,
    backupId: backupIdSchema.parse(`bak_${newId()}`),
    kind: 'manual',
    mode: 'consistent',
    description: 'a test',
    environment: { id: `env_${newId()}`, name: 'shop', type: 'production', node: 'here', folder: null },
    createdAtMs: 1_700_000_000_000,
    expiresAtMs: null,
    createdBy: 'tester',
    policy: null,
    pinReason: null,
  };
}

function treeOf(parts: Manifest['parts'], name: string): string | undefined {
  return parts.find((part) => part.name === name)?.treeId;
}

function newId(): string {
  return randomBytes(8).toString('hex');
}
