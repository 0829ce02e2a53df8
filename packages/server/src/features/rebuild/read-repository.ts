import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Abortable } from '@holdfast/base';
import type { FoundBackup, MoverEvent } from '@holdfast/protocol';
import type { Ids } from '../../catalog/ids.ts';
import { Mover } from '../../runner/mover.ts';
import type { MoverProgram } from '../../runner/mover-program.ts';

/** A repository that a mover has opened, and told all of. Disposing ends the mover. */
export interface ReadRepository extends AsyncDisposable {
  readonly backups: readonly FoundBackup[];
  /** What is broken in it, as far as nobody can tell which backup has lost it. */
  readonly warnings: readonly string[];
  /** Lets the own password open it. */
  commit(options: Abortable): Promise<void>;
}

/** Contents, and what opens them, pass through movers alone. */
export type ReadRepositories = (request: ReadRequest, options: Abortable) => Promise<ReadRepository>;

export interface ReadRequest {
  readonly location: string;
  /** It opens the repository now. */
  readonly recoveryKey: string;
  /** It is to open the repository from then on. */
  readonly ownPassword: string;
}

export interface ReadRepositoriesOptions {
  readonly ids: Ids;
  readonly spawnMover: () => MoverProgram;
  /** For event files; whatever is there may be removed. */
  readonly folder: string;
}

const endGraceMs = 10_000;

/**
 * Movers without jobs: nobody has to find them again. One whose server is gone before `commit` ends by itself, and after it
 * there is nothing that running it again would not do.
 *
 * @throws what `Mover.waitFor` throws, such as HoldfastError `password-wrong`, `repository-damaged`
 */
export function createReadRepositories({
  ids,
  spawnMover,
  folder,
}: ReadRepositoriesOptions): ReadRepositories {
  return async ({ location, recoveryKey, ownPassword }, { signal }) => {
    await using reading = new AsyncDisposableStack();
    const taskId = ids.task();
    const taskFolder = join(folder, taskId);
    const scratchPath = join(taskFolder, 'scratch');
    await mkdir(scratchPath, { mode: 0o700, recursive: true });
    reading.defer(async () => await rm(taskFolder, { recursive: true, force: true }));
    const backups: FoundBackup[] = [];
    const warnings: string[] = [];
    const onEvent = (event: MoverEvent): void => {
      if (event.type === 'backup') backups.push(event.backup);
      if (event.type === 'log' && event.line.level === 'warn') warnings.push(event.line.message);
    };
    const mover = new Mover(
      spawnMover(),
      {
        version: 1,
        kind: 'rebuild',
        taskId,
        jobId: ids.job(),
        epoch: 1,
        eventsPath: join(taskFolder, 'events.jsonl'),
        scratchPath,
        repository: { location, password: recoveryKey },
        ownPassword,
      },
      onEvent,
    );
    reading.defer(async () => await mover.end(endGraceMs));
    mover.send({ type: 'go' });
    await mover.waitFor('sealed', { signal });
    const opened = reading.move();
    return {
      backups,
      warnings,
      commit: async (options) => {
        mover.send({ type: 'commit' });
        await mover.waitForSuccess(options);
      },
      [Symbol.asyncDispose]: async () => await opened.disposeAsync(),
    };
  };
}
