import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemErrorCode } from '@holdfast/base';
import { type BackupId, isJobOver, type Job } from '@holdfast/protocol';
import { ComposeProject, volumeFolder } from './compose.ts';
import { Holdfast } from './holdfast.ts';
import { eventually } from './process.ts';

export const victims = ['mover', 'server', 'both'] as const;
export type Victim = (typeof victims)[number];

export interface CutAppSize {
  /** Of `e2e/projects`. */
  readonly project: string;
  /** Of the app's volumes, those that hold its files. */
  readonly volumes: readonly string[];
  /** In each of them. */
  readonly folders: number;
  readonly filesEach: number;
  readonly fileBytes: number;
}

/** 400 files and 8 MB. */
const smallSize: CutAppSize = {
  project: 'small',
  volumes: ['files'],
  folders: 10,
  filesEach: 40,
  fileBytes: 20_000,
};

/** 20,000 files and 80 MB in four volumes; the fifth is written to all the time. */
export const wideSize: CutAppSize = {
  project: 'wide',
  volumes: ['files', 'second', 'third', 'fourth'],
  folders: 50,
  filesEach: 100,
  fileBytes: 4_000,
};

/** A Holdfast and an app, for tests that cut off a backup or a restore of it with SIGKILL. */
export class CutApp implements AsyncDisposable {
  readonly holdfast: Holdfast;
  readonly project: ComposeProject;
  /** The folders of the volumes that hold the app's files. */
  readonly paths: readonly string[];
  readonly #size: CutAppSize;

  constructor(holdfast: Holdfast, project: ComposeProject, paths: readonly string[], size: CutAppSize) {
    this.holdfast = holdfast;
    this.project = project;
    this.paths = paths;
    this.#size = size;
  }

  static async start(environment: string, size: CutAppSize = smallSize): Promise<CutApp> {
    const { folders, filesEach, fileBytes } = size;
    const holdfast = await Holdfast.start();
    const project = await ComposeProject.up(size.project, environment);
    const paths = await Promise.all(size.volumes.map((name) => volumeFolder(`${environment}_${name}`)));
    for (const path of paths) {
      for (let folder = 0; folder < folders; folder += 1) {
        mkdirSync(join(path, `folder-${folder}`));
        for (let file = 0; file < filesEach; file += 1) {
          writeFileSync(join(path, `folder-${folder}`, `file-${file}`), randomBytes(fileBytes));
        }
      }
    }
    return new CutApp(holdfast, project, paths, size);
  }

  /** The first of them. */
  get files(): string {
    return this.paths[0] ?? '';
  }

  /** New bytes for the next backup to store, and for the next restore to put back; some removed, some renamed. */
  mutate(round: number): void {
    const { folders } = this.#size;
    for (const path of this.paths) {
      writeFileSync(join(path, `folder-${round % folders}`, 'file-3'), randomBytes(300_000));
      writeFileSync(join(path, 'new'), randomBytes(2_000_000));
      writeFileSync(join(path, `extra-${round % 5}`), 'extra');
      for (let folder = 0; folder < folders; folder += 10) {
        const changed = (name: string): string => join(path, `folder-${(folder + round) % folders}`, name);
        rmSync(changed('file-7'), { force: true });
        if (existsSync(changed('file-8'))) renameSync(changed('file-8'), changed(`renamed-${round}`));
      }
    }
  }

  /** At the tops of the volumes. */
  names(): readonly string[] {
    return this.paths.flatMap((path) => readdirSync(path));
  }

  /** SHA-256 over names and contents of all files. */
  digest(): string {
    const hash = createHash('sha256');
    const names = this.paths
      .flatMap((path) => readdirSync(path, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    for (const name of names) hash.update(name).update(readFileSync(name));
    return hash.digest('hex');
  }

  /**
   * Keeps the restore that is under way from ending its swap, and from undoing it, as where the storage fails. Answers
   * what clears the way again.
   */
  async barSwap(): Promise<() => void> {
    const bar = await eventually('it is staged', () => {
      const name = readdirSync(this.files).find((each) => each.startsWith('.holdfast-restore-'));
      return name === undefined ? undefined : join(this.files, name, 'journal.done');
    });
    mkdirSync(bar);
    return () => rmdirSync(bar);
  }

  async startBackup(): Promise<{ readonly backupId: BackupId; readonly job: Job }> {
    const params = { environment: this.project.name };
    return await this.holdfast.client().call('backup.create', { params, body: {} });
  }

  async startRestore(backup: BackupId): Promise<Job> {
    const { job } = await this.holdfast.client().call('backup.restore', { params: { backup }, body: {} });
    return job;
  }

  /** Waits for the job's end. */
  async settled({ id }: Job): Promise<Job> {
    return await eventually('the job ends', async () => {
      const job = await this.holdfast.client().call('job.get', { params: { job: id } });
      return isJobOver(job.state) ? job : undefined;
    });
  }

  /** Waits until the job is at this step, or is over. */
  async reaches({ id }: Job, step: string): Promise<void> {
    for (;;) {
      const job = await this.holdfast.client().call('job.get', { params: { job: id } });
      if (job.step === step || isJobOver(job.state)) return;
      await delay(5);
    }
  }

  async killAfter(victim: Victim, afterMs: number): Promise<void> {
    await delay(afterMs);
    const movers = victim === 'server' ? [] : this.holdfast.moverPids();
    for (const pid of movers) killIfThere(pid);
    if (victim !== 'mover') await this.holdfast.killServer();
  }

  /** Starts the server again where it was killed, and waits for the job's end. */
  async comeBackAndSettle(job: Job): Promise<Job> {
    if (!this.holdfast.isServerRunning) await this.holdfast.startServer();
    return await this.settled(job);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.project[Symbol.asyncDispose]();
    await this.holdfast[Symbol.asyncDispose]();
  }
}

/** A mover may be done in the very moment. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}
