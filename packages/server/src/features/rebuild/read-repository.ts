import type { Abortable } from '@holdfast/base';
import type { FoundBackup, MoverEvent, RepositoryAccess } from '@holdfast/protocol';
import { type LoneMoverOptions, startLoneMover } from '../../runner/lone-mover.ts';

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
  /** With what opens it now. */
  readonly repository: RepositoryAccess;
  /** It is to open the repository from then on. */
  readonly ownPassword: string;
}

/**
 * One whose server is gone before `commit` ends by itself, and after it there is nothing that running it again would not do.
 *
 * @throws what `Mover.waitFor` throws, such as HoldfastError `password-wrong`, `repository-damaged`
 */
export function createReadRepositories(options: LoneMoverOptions): ReadRepositories {
  return async ({ repository, ownPassword }, { signal }) => {
    const backups: FoundBackup[] = [];
    const warnings: string[] = [];
    const onEvent = (event: MoverEvent): void => {
      if (event.type === 'backup') backups.push(event.backup);
      if (event.type === 'log' && event.line.level === 'warn') warnings.push(event.line.message);
    };
    await using reading = new AsyncDisposableStack();
    const { mover } = reading.use(
      await startLoneMover(
        options,
        (base) => ({ ...base, kind: 'rebuild', repository, ownPassword }),
        onEvent,
      ),
    );
    mover.send({ type: 'go' });
    await mover.waitFor('sealed', { signal });
    const opened = reading.move();
    return {
      backups,
      warnings,
      commit: async (abort) => {
        mover.send({ type: 'commit' });
        await mover.waitForSuccess(abort);
      },
      [Symbol.asyncDispose]: async () => await opened.disposeAsync(),
    };
  };
}
