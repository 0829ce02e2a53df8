import type { Abortable, Clock } from '@holdfast/base';
import type { CopiedAside } from '@holdfast/engine';
import type {
  BackupId,
  FoundBackup,
  FreezeFacts,
  InspectedBackup,
  LogLine,
  Manifest,
  MoverEvent,
  SealedPart,
  TaskSpec,
  VaultReport,
} from '@holdfast/protocol';
import type { EventLog } from './event-log.ts';
import { PhaseProgress } from './phase-progress.ts';
import type { ServerChannel } from './server-channel.ts';

/** A file with a warning each would be a log as long as the tree. */
const warningLimit = 100;

type EventBody = MoverEvent extends infer Event
  ? Event extends MoverEvent
    ? Omit<Event, 'taskId' | 'epoch' | 'timeMs'>
    : never
  : never;

type MoverEventOf<Type extends MoverEvent['type']> = Extract<MoverEvent, { type: Type }>;

export interface TaskContextOptions {
  readonly task: Pick<TaskSpec, 'taskId' | 'epoch'>;
  readonly events: EventLog;
  readonly channel: ServerChannel;
  readonly clock: Clock;
}

/** What a task has of the world outside its own work: the events that it reports, and what it waits for. */
export class TaskContext {
  readonly #options: TaskContextOptions;
  readonly #log: LogLine[] = [];
  readonly #warnings: string[] = [];
  #unlistedWarnings = 0;

  constructor(options: TaskContextOptions) {
    this.#options = options;
  }

  /** Fires when the task is cancelled, or the server is gone before the work counts. */
  get signal(): AbortSignal {
    return this.#options.channel.signal;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Lines that were logged so far, warnings among them: for the manifest. */
  get log(): readonly LogLine[] {
    return this.#log;
  }

  /** At most a hundred; where there were more, the last one says how many. */
  get warnings(): readonly string[] {
    if (this.#unlistedWarnings === 0) return this.#warnings;
    return [...this.#warnings, `${this.#unlistedWarnings} more warnings are not listed.`];
  }

  /** Before it, nothing is opened but the event file; a backup counts what there is to read. */
  async waitForGo(): Promise<void> {
    await this.#options.channel.waitFor('go');
  }

  /** A phase of the work, as a user would call it: `backup`, `verify`, `restore`. */
  phase(name: string): PhaseProgress {
    return new PhaseProgress(name, this.clock, (progress) => this.#emit({ type: 'progress', progress }));
  }

  info(message: string): void {
    this.#note({ timeMs: this.clock.now(), level: 'info', message });
  }

  error(message: string): void {
    this.#note({ timeMs: this.clock.now(), level: 'error', message });
  }

  /** Something was skipped or is not exactly as it should be: the task ends with warnings. */
  warn(message: string): void {
    if (this.#warnings.length >= warningLimit - 1) {
      this.countWarnings(1);
      return;
    }
    this.#warnings.push(message);
    this.#note({ timeMs: this.clock.now(), level: 'warn', message });
  }

  /** Warnings of which only the number is known. */
  countWarnings(count: number): void {
    this.#unlistedWarnings += count;
  }

  part(part: SealedPart): void {
    this.#emit({ type: 'part', part });
  }

  backup(backup: FoundBackup): void {
    this.#emit({ type: 'backup', backup });
  }

  inspected(backup: InspectedBackup): void {
    this.#emit({ type: 'inspected', backup });
  }

  /** The first snapshot of a backup is about to go. */
  removing(backupId: BackupId): void {
    this.#emit({ type: 'removing', backupId });
  }

  /** The last one is gone. */
  removed(backupId: BackupId): void {
    this.#emit({ type: 'removed', backupId });
  }

  vault(report: VaultReport): void {
    this.#emit({ type: 'vault', report });
  }

  /**
   * Reports that all but a final pass is done, and waits until the sources stand still: false if they will not, and
   * what was read before has to do.
   */
  async waitForFreeze(rehearsal: CopiedAside): Promise<boolean> {
    this.#emit({ type: 'precopied', ...rehearsal });
    const { channel } = this.#options;
    return await Promise.race([
      channel.waitFor('frozen').then(() => true),
      channel.waitFor('live').then(() => false),
    ]);
  }

  /** Reports that nothing more is needed of the sources, and waits until they go on. */
  async waitForThaw(copied: CopiedAside, { signal }: Abortable): Promise<void> {
    this.#emit({ type: 'captured', ...copied });
    await this.#options.channel.waitFor('thawed', { signal });
  }

  /** Resolves when the environment could not be held still after all. */
  async waitForGiveUp({ signal }: Abortable): Promise<void> {
    await this.#options.channel.waitFor('live', { signal });
  }

  /**
   * Reports `sealed` and waits for `commit`: from its return on, the task is brought to its end whatever comes.
   * Answers what the server saw of the freeze, if there was one.
   */
  async sealAndWaitForCommit(): Promise<FreezeFacts | undefined> {
    this.#emit({ type: 'sealed' });
    return await this.#options.channel.waitFor('commit');
  }

  /** As if `commit` had come: for a task that has none. */
  finishAlone(): void {
    this.signal.throwIfAborted();
    this.#options.channel.finishAlone();
  }

  /** For a backup, its manifest is in the repository; for all else, what comes next changes things for good. */
  committed(manifest: Manifest | null, manifestSnapshotId: string | null): void {
    this.#emit({ type: 'committed', manifest, manifestSnapshotId });
  }

  /** What the environment was made of, and what of it is in the backup. */
  described(facts: Pick<MoverEventOf<'described'>, 'model' | 'hasProject' | 'singleFiles'>): void {
    this.#emit({ type: 'described', ...facts });
  }

  /** All that was restored is in place, and whoever uses it may start. */
  swapped(): void {
    this.#emit({ type: 'swapped' });
  }

  /** What was committed was taken back: all is as it was before. */
  undone(): void {
    this.#emit({ type: 'undone' });
  }

  #note(line: LogLine): void {
    this.#log.push(line);
    this.#emit({ type: 'log', line });
  }

  #emit(event: EventBody): void {
    const { taskId, epoch } = this.#options.task;
    this.#options.events.emit({ taskId, epoch, timeMs: this.clock.now(), ...event });
  }
}
