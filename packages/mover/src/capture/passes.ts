import { type Abortable, TaskGroup, untilAborted } from '@holdfast/base';
import type { CopiedAside, KnownFiles, TreeSpool } from '@holdfast/engine';
import type { PhaseProgress } from '../phase-progress.ts';
import { type ReadPart, readPart, type WritingTask } from './part.ts';

/** For the contents of all parts that are read at a time. */
const memoryBytes = 64 * 1024 * 1024;
const mostPartsAtOnce = 2;

export interface LivePass {
  readonly trees?: TreeSpool;
  readonly rereads: number;
  readonly progress: PhaseProgress;
}

/** Reads all parts while their sources may change, two at a time. */
export async function passLive(
  writing: WritingTask,
  { trees, rereads, progress }: LivePass,
): Promise<ReadPart[]> {
  const { parts: specs } = writing;
  const partsAtOnce = Math.min(mostPartsAtOnce, specs.length);
  await using tasks = new TaskGroup(writing.locked);
  const options = { trees, rereads, memoryBytes: memoryBytes / partsAtOnce, signal: tasks.signal };
  const read: ReadPart[] = [];
  const left = specs.entries();
  const work = async (): Promise<void> => {
    for (const [position, spec] of left) {
      read[position] = await readPart(spec, writing, { ...options, progress: progress.part(spec.name) });
    }
  };
  await Promise.all(Array.from({ length: partsAtOnce }, () => tasks.start(work())));
  return read;
}

export interface AsidePass extends Abortable {
  /** The pass that this one is compared with. */
  readonly before: readonly ReadPart[];
  readonly trees: TreeSpool;
  readonly knownFiles: KnownFiles;
  readonly purpose: 'rehearsal' | 'look' | 'final';
  readonly progress: PhaseProgress;
  /** Called when all that changed in any part was set aside; what was is saved once it resolves. */
  readonly onAside: (copied: CopiedAside) => Promise<void>;
}

/**
 * Reads all parts as if, or because, their sources stood still: what changed is set aside from all of them at once, and
 * then saved one part after the other.
 */
export async function passAside(
  writing: WritingTask,
  { before, trees, knownFiles, purpose, progress, onAside, signal }: AsidePass,
): Promise<ReadPart[]> {
  if (before.length === 0) await onAside({ files: 0, bytes: 0, elapsedMs: 0 });
  await using tasks = new TaskGroup({ signal });
  const aside = new Gathering(before.length, onAside);
  let turn: Promise<unknown> = Promise.resolve();
  const reads = before.map((earlier) => {
    const { spec } = earlier;
    const myTurn = turn;
    const read = tasks.start(
      readPart(spec, writing, {
        before: earlier,
        trees,
        isFinal: purpose !== 'rehearsal',
        memoryBytes,
        progress: progress.part(spec.name),
        signal: tasks.signal,
        standstill: {
          directory: writing.task.scratchPath,
          knownFiles,
          purpose,
          setAside: async (copied) => {
            await untilAborted(aside.add(copied), tasks);
            await untilAborted(myTurn, tasks);
          },
        },
      }),
    );
    turn = read.catch(() => {});
    return read;
  });
  return await Promise.all(reads);
}

/**
 * Goes over all parts as `passAside`, and only looks at large files that change: the next pass finds little to copy of
 * them. Nothing is saved.
 */
export async function passAhead(
  writing: WritingTask,
  pass: Omit<AsidePass, 'purpose' | 'onAside'>,
): Promise<void> {
  const looked = new Error('All was looked at.');
  try {
    await passAside(writing, { ...pass, purpose: 'look', onAside: () => Promise.reject(looked) });
  } catch (error) {
    if (error !== looked) throw error;
  }
}

/** Waits until every part has been set aside. */
class Gathering {
  readonly #expected: number;
  readonly #then: (copied: CopiedAside) => Promise<void>;
  readonly #over = Promise.withResolvers<void>();
  readonly #copied: CopiedAside[] = [];

  constructor(expected: number, then: (copied: CopiedAside) => Promise<void>) {
    this.#expected = expected;
    this.#then = then;
    this.#over.promise.catch(() => {});
  }

  async add(copied: CopiedAside): Promise<void> {
    this.#copied.push(copied);
    if (this.#copied.length === this.#expected)
      this.#then(this.#sum()).then(this.#over.resolve, this.#over.reject);
    await this.#over.promise;
  }

  #sum(): CopiedAside {
    return {
      files: this.#copied.reduce((files, copied) => files + copied.files, 0),
      bytes: this.#copied.reduce((bytes, copied) => bytes + copied.bytes, 0),
      elapsedMs: Math.max(...this.#copied.map(({ elapsedMs }) => elapsedMs)),
    };
  }
}
