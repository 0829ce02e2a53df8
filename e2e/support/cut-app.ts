import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemErrorCode } from '@holdfast/base';
import { type BackupId, isJobOver, type Job } from '@holdfast/protocol';
import { ComposeProject, volumeFolder } from './compose.ts';
import { Holdfast } from './holdfast.ts';
import { eventually } from './process.ts';

export const victims = ['mover', 'server', 'both'] as const;
export type Victim = (typeof victims)[number];

/** A Holdfast and an app, for tests that cut off a backup or a restore of it with SIGKILL. */
export class CutApp implements AsyncDisposable {
  readonly holdfast: Holdfast;
  readonly project: ComposeProject;
  /** The folder of the app's volume. */
  readonly files: string;

  constructor(holdfast: Holdfast, project: ComposeProject, files: string) {
    this.holdfast = holdfast;
    this.project = project;
    this.files = files;
  }

  /** With 400 files and 8 MB. */
  static async start(environment: string): Promise<CutApp> {
    const holdfast = await Holdfast.start();
    const project = await ComposeProject.up('small', environment);
    const files = await volumeFolder(`${environment}_files`);
    for (let folder = 0; folder < 10; folder += 1) {
      mkdirSync(join(files, `folder-${folder}`));
      for (let file = 0; file < 40; file += 1) {
        writeFileSync(join(files, `folder-${folder}`, `file-${file}`), randomBytes(20_000));
      }
    }
    return new CutApp(holdfast, project, files);
  }

  /** New bytes for the next backup to store, and for the next restore to put back. */
  mutate(round: number): void {
    writeFileSync(join(this.files, `folder-${round % 10}`, 'file-3'), randomBytes(300_000));
    writeFileSync(join(this.files, 'new'), randomBytes(2_000_000));
    writeFileSync(join(this.files, `extra-${round % 5}`), 'extra');
    rmSync(join(this.files, `folder-${(round + 3) % 10}`, 'file-7'), { force: true });
  }

  /** At the top of the volume. */
  names(): readonly string[] {
    return readdirSync(this.files);
  }

  /** SHA-256 over names and contents of all of the volume's files. */
  digest(): string {
    const hash = createHash('sha256');
    const names = readdirSync(this.files, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    for (const name of names) hash.update(name).update(readFileSync(name));
    return hash.digest('hex');
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
