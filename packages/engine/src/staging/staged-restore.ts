import { statfsSync } from 'node:fs';
import { HoldfastError } from '@holdfast/base';
import { procPath } from '../filesystem/metadata.ts';
import { syncFileSystem } from '../filesystem/sync.ts';
import { targetError } from '../filesystem/system-error.ts';
import { type ByteString, byteStringToText, type FilePath, toByteString } from '../format/byte-string.ts';
import type { Node } from '../format/node.ts';
import { EntryReports } from '../snapshot/entry-report.ts';
import { HardLinks } from '../snapshot/hard-links.ts';
import type { ProgressSink } from '../snapshot/progress.ts';
import { createContext, openCopier } from '../snapshot/restore-run.ts';
import { type Chosen, chosenOf, selectionOf } from './chosen.ts';
import { findChosen } from './find-chosen.ts';
import { JournalWriter } from './journal-writer.ts';
import { Stage } from './stage.ts';
import type { Difference, StagedRestore, StageRequest } from './stage-request.ts';
import {
  hasJournal,
  leftStagingFolders,
  makeStagingFolder,
  removeStagingFolder,
  renameJournal,
  type StagingFolder,
} from './staging-folder.ts';
import { openStagingRoot, type StagingRoot } from './staging-root.ts';
import { type Direction, swapByJournal } from './swap.ts';

/** What the file system keeps for whoever else writes to it: the app runs while its next state is staged. */
const reservePart = 0.02;
const mostReserveBytes = 1024 ** 3;
/** Of a file, beside its content. */
const fileOverheadBytes = 4096;

/**
 * Begins to restore a target by way of a staging folder. What an earlier one that was cut off has left there is brought
 * back to what it was before, and removed. Disposing removes what was staged, or what was replaced.
 * @throws HoldfastError `path-unknown` before anything is done; what `StagedRestore` throws
 */
export async function openStagedRestore(request: StageRequest): Promise<StagedRestore> {
  const node = await findChosen(request);
  const chosen = chosenOf(request.only);
  const path = toByteString(request.targetPath);
  await settleStaged([request.targetPath], 'back');
  return await withTargetErrors(path, async () => {
    const stack = new AsyncDisposableStack();
    try {
      const root = stack.use(openStagingRoot(path, node.type === 'dir'));
      const folder = makeStagingFolder(root);
      const staging = { folder, isSwapping: false };
      stack.defer(async () => {
        // Complete, but never begun: the target is wholly old.
        if (!staging.isSwapping && hasJournal(folder, 'journal'))
          renameJournal(folder, 'journal', 'journal.done');
        await removeStagingFolder(folder);
      });
      const copier = stack.use(openCopier({ blobs: request.blobs }));
      const sink = new SwitchedSink();
      const { blobs, signal } = request;
      const restoring = { request: { blobs, signal, progress: sink }, copier };
      const context = {
        ...createContext(restoring, folder.directory, selectionOf(chosen, path)),
        // What was made of a directory may have to be made again with all of it.
        links: new HardLinks({ mayComeAgain: true }),
      };
      stack.defer(async () => {
        context.tasks.fail(new HoldfastError('interrupted', 'The restore was left.'));
        await context.tasks.settled();
      });
      const { kept } = request;
      return new StagedTarget({ blobs, node, chosen, kept, staging, folder, context, sink, stack });
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  });
}

/**
 * Brings targets whose staged restore was cut off wholly forward or wholly back, all of them before any is done with, and
 * removes what it left. Needs nothing but the targets themselves. Answers those that there was something to be done for.
 */
export async function settleStaged<Path extends FilePath>(
  targetPaths: readonly Path[],
  direction: Direction,
): Promise<readonly Path[]> {
  using stack = new DisposableStack();
  const folders: StagingFolder[] = [];
  const settled: Path[] = [];
  for (const targetPath of targetPaths) {
    const path = toByteString(targetPath);
    await withTargetErrors(path, async () => {
      for (const folder of openLeftFolders(path, stack)) {
        folders.push(folder);
        if (!hasJournal(folder, 'journal')) continue;
        await swapByJournal(folder, direction, new EntryReports());
        settled.push(targetPath);
      }
    });
  }
  for (const folder of folders) finishJournal(folder);
  for (const folder of folders) await removeStagingFolder(folder);
  return settled;
}

function finishJournal(folder: StagingFolder): void {
  try {
    if (hasJournal(folder, 'journal')) renameJournal(folder, 'journal', 'journal.done');
  } catch (error) {
    throw targetError(error, folder.root.path);
  }
}

/** In the target, and beside it. */
function openLeftFolders(path: ByteString, stack: DisposableStack): readonly StagingFolder[] {
  return [true, false].flatMap((isForDirectory) => {
    const root = openIfThere(path, isForDirectory);
    if (root === undefined) return [];
    stack.use(root);
    return leftStagingFolders(root).map((folder) => stack.use(folder));
  });
}

function openIfThere(path: ByteString, isForDirectory: boolean): StagingRoot | undefined {
  try {
    return openStagingRoot(path, isForDirectory);
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    return undefined;
  }
}

interface StagedTargetParts {
  readonly blobs: StageRequest['blobs'];
  readonly node: Node;
  readonly chosen: Chosen;
  readonly kept: StageRequest['kept'];
  readonly folder: StagingFolder;
  readonly staging: { isSwapping: boolean };
  readonly context: ReturnType<typeof createContext>;
  readonly sink: SwitchedSink;
  readonly stack: AsyncDisposableStack;
}

class StagedTarget implements StagedRestore {
  readonly #parts: StagedTargetParts;
  readonly #stage: Stage;
  #difference: Difference | undefined;

  constructor(parts: StagedTargetParts) {
    this.#parts = parts;
    const { blobs, context, folder, chosen, kept } = parts;
    this.#stage = new Stage(blobs, context, { root: folder.root, folder, chosen, kept });
  }

  get warnings() {
    return this.#parts.context.warnings.kept;
  }

  get warningCount() {
    return this.#parts.context.warnings.count;
  }

  async compare(progress?: ProgressSink): Promise<Difference> {
    return await this.#guarded(async ({ node, folder }) => {
      // From here on, whoever writes through a mapping changes the times of what is written.
      await syncFileSystem(folder.directory);
      let [files, bytes] = [0, 0];
      const onEntry = ({ type, size }: Node): void => {
        if (type === 'dir') return;
        files += 1;
        bytes += size;
        progress?.report({ files, bytes });
      };
      this.#difference = await this.#stage.pass(node, { isMaking: false, onEntry });
      return this.#difference;
    });
  }

  async stage(progress?: ProgressSink): Promise<void> {
    const difference = this.#difference ?? (await this.compare());
    await this.#guarded(async ({ node, folder, sink }) => {
      assertRoom(folder, difference);
      sink.to = progress;
      await this.#stage.pass(node, { isMaking: true });
      await this.#assertMade();
      await syncFileSystem(folder.directory);
    });
  }

  async complete(): Promise<Difference> {
    return await this.#guarded(async ({ node, folder }) => {
      using journal = new JournalWriter(folder);
      const onOperation = journal.add.bind(journal);
      const difference = await this.#stage.pass(node, { isMaking: true, onOperation });
      await this.#assertMade();
      await syncFileSystem(folder.directory);
      journal.complete();
      return difference;
    });
  }

  async swap(): Promise<void> {
    await this.#guarded(async ({ folder, staging, context }) => {
      staging.isSwapping = true;
      await swapByJournal(folder, 'forward', context.warnings);
    });
  }

  async undo(): Promise<void> {
    await this.#guarded(async ({ folder }) => {
      if (hasJournal(folder, 'journal')) await swapByJournal(folder, 'back', new EntryReports());
    });
  }

  finish(): void {
    const { folder, staging } = this.#parts;
    finishJournal(folder);
    staging.isSwapping = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.stack.disposeAsync();
  }

  async #guarded<Result>(work: (parts: StagedTargetParts) => Promise<Result>): Promise<Result> {
    return await withTargetErrors(this.#parts.folder.root.path, async () => await work(this.#parts));
  }

  async #assertMade(): Promise<void> {
    const { tasks, failures } = this.#parts.context;
    await tasks.settled();
    tasks.signal.throwIfAborted();
    const [first] = failures.kept;
    if (first === undefined) return;
    throw new HoldfastError('restore-incomplete', `${first.path}: ${first.message}.`, {
      hint: 'Nothing was changed. Check the repository, or make the target so that it can hold this.',
      context: { path: first.path, failures: failures.count },
    });
  }
}

/** Whom progress is reported to changes with the step. */
class SwitchedSink implements ProgressSink {
  to: ProgressSink | undefined;

  report(progress: Parameters<ProgressSink['report']>[0]): void {
    this.to?.report(progress);
  }
}

function assertRoom({ root }: StagingFolder, { files, bytes }: Difference): void {
  const { bsize, blocks, bavail } = statfsSync(Buffer.from(procPath(root.directory), 'latin1'));
  const reserve = Math.min(bsize * blocks * reservePart, mostReserveBytes);
  const neededBytes = Math.ceil(bytes + files * fileOverheadBytes + reserve);
  const availableBytes = bsize * bavail;
  if (neededBytes <= availableBytes) return;
  const path = byteStringToText(root.path);
  throw new HoldfastError(
    'target-full',
    `There is too little room at ${path}: what is restored is made beside what is there, which needs ${neededBytes} bytes, and ${availableBytes} are free.`,
    { hint: 'Make room there. Nothing was changed.', context: { path, neededBytes, availableBytes } },
  );
}

async function withTargetErrors<Result>(path: ByteString, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw targetError(error, path);
  }
}
