import { TaskGroup } from '@holdfast/base';
import { type CopiedAside, KnownFiles, TreeSpool } from '@holdfast/engine';
import type { BackupMode } from '@holdfast/protocol';
import { readImages } from '../code/read-images.ts';
import { readCommands } from '../commands/read-commands.ts';
import type { PhaseProgress } from '../phase-progress.ts';
import type { ReadPart, SavedPart, WritingTask } from './part.ts';
import { passAhead, passAside, passLive } from './passes.ts';
import { setPriority } from './priority.ts';

/** How often a live backup reads a file that changes meanwhile again. */
const liveRereads = 3;
/** A final pass this short needs no shorter one. */
const shortEnoughMs = 250;
/** A further pass has to make the final one at least so much shorter than the last did. */
const worthwhile = 0.7;
const mostRehearsals = 5;

/** What a backup is made of. */
export interface Captured {
  readonly mode: BackupMode;
  readonly parts: readonly SavedPart[];
  /** Bytes that all passes over each part added to the repository, by position. */
  readonly storedBytes: readonly number[];
}

/** Every file as it is when its turn comes; nothing is paused. */
export async function captureLive(writing: WritingTask, progress: PhaseProgress): Promise<Captured> {
  setPriority('background');
  const parts = await passLive(writing, { rereads: liveRereads, progress });
  const outputs = await readOutputs(writing, progress);
  return captured('live', { passes: [parts], outputs });
}

/**
 * Everything as it is at one moment, at which the sources stand still for as short a time as can be:
 *
 *     read live → commands, images → rehearse the final pass, until that makes it no shorter → frozen: final pass
 *       → thawed: save its copies
 *
 * What commands print is of their own moments: they cannot run while their containers stand still.
 *
 * A rehearsal sets aside what changed, as the final pass will, and saves it: so it also tells how long that will take.
 */
export async function captureConsistent(writing: WritingTask, progress: PhaseProgress): Promise<Captured> {
  const { context } = writing;
  using trees = new TreeSpool(writing.task.scratchPath);
  await using knownFiles = new KnownFiles(writing.task.scratchPath);
  setPriority('background');
  const passes = [await passLive(writing, { trees, rereads: 0, progress })];
  const outputs = await readOutputs(writing, progress);
  const rehearsal = await rehearse(writing, { trees, knownFiles, passes });
  setPriority('normal');
  await lookAhead(writing, { trees, knownFiles, passes });
  if (!(await context.waitForFreeze(rehearsal))) return captured('live', { passes, outputs });
  const final = await finalPass(writing, { trees, knownFiles, passes });
  return final === undefined
    ? captured('live', { passes, outputs })
    : captured('consistent', { passes: [...passes, final], outputs });
}

/** What is of one moment however long it is read: no freeze would help. */
async function readOutputs(writing: WritingTask, progress: PhaseProgress): Promise<SavedPart[]> {
  return [...(await readCommands(writing, progress)), ...(await readImages(writing, progress))];
}

interface Passes {
  readonly trees: TreeSpool;
  readonly knownFiles: KnownFiles;
  /** Those that are complete, in order. */
  readonly passes: ReadPart[][];
}

async function rehearse(writing: WritingTask, { trees, knownFiles, passes }: Passes): Promise<CopiedAside> {
  const { context, locked, writer } = writing;
  let last: CopiedAside | undefined;
  for (let count = 1; ; count += 1) {
    await writer.flush(locked);
    let copied: CopiedAside | undefined;
    // As the final pass will be: how long this takes is what that is expected to take.
    setPriority('normal');
    await lookAhead(writing, { trees, knownFiles, passes });
    const pass = await passAside(writing, {
      before: passes.at(-1) ?? [],
      trees,
      knownFiles,
      purpose: 'rehearsal',
      progress: context.phase('catching up'),
      onAside: async (told) => {
        setPriority('background');
        copied = told;
      },
      signal: locked.signal,
    });
    passes.push(pass);
    copied ??= { files: 0, bytes: 0, elapsedMs: 0 };
    const isShorter = last === undefined || copied.elapsedMs < worthwhile * last.elapsedMs;
    last = copied;
    if (!isShorter || copied.elapsedMs <= shortEnoughMs || count === mostRehearsals) break;
  }
  await writer.flush(locked);
  return last;
}

/** What large files got while the last pass was saved need not be copied in the next one. */
async function lookAhead(writing: WritingTask, { trees, knownFiles, passes }: Passes): Promise<void> {
  if (knownFiles.isEmpty) return;
  const { context, locked } = writing;
  const progress = context.phase('looking ahead');
  await passAhead(writing, {
    before: passes.at(-1) ?? [],
    trees,
    knownFiles,
    progress,
    signal: locked.signal,
  });
}

/** Undefined if the environment could not be held still to its end. */
async function finalPass(
  writing: WritingTask,
  { trees, knownFiles, passes }: Passes,
): Promise<ReadPart[] | undefined> {
  const { context, locked } = writing;
  await using tasks = new TaskGroup(locked);
  let isGivenUp = false;
  context.waitForGiveUp(tasks).then(
    () => {
      isGivenUp = true;
      tasks.fail(new Error('The environment could not be held still.'));
    },
    () => {},
  );
  try {
    return await passAside(writing, {
      before: passes.at(-1) ?? [],
      trees,
      knownFiles,
      purpose: 'final',
      progress: context.phase('final pass'),
      onAside: async (copied) => {
        await context.waitForThaw(copied, tasks);
        setPriority('background');
      },
      signal: tasks.signal,
    });
  } catch (error) {
    if (isGivenUp && !locked.signal.aborted) return undefined;
    throw error;
  } finally {
    setPriority('normal');
  }
}

interface Reading {
  readonly passes: readonly (readonly ReadPart[])[];
  /** Of commands, and images. */
  readonly outputs: readonly SavedPart[];
}

function captured(mode: BackupMode, { passes, outputs }: Reading): Captured {
  const parts = passes.at(-1) ?? [];
  const storedBytes = parts.map((_, position) =>
    passes.reduce((sum, pass) => sum + (pass[position]?.result.summary.storedBytes ?? 0), 0),
  );
  return {
    mode,
    parts: [...parts, ...outputs],
    storedBytes: [...storedBytes, ...outputs.map(({ result }) => result.summary.storedBytes)],
  };
}
