import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { MoverEvent } from '@holdfast/protocol';

/** What a reader that stands still may leave waiting in memory before copies of progress are dropped. */
const maxWaitingBytes = 1024 * 1024;

/** Events that a returning server decides by: on stable storage before `emit` returns. */
const milestones: ReadonlySet<MoverEvent['type']> = new Set([
  'started',
  'sealed',
  'committed',
  'removing',
  'removed',
  'swapped',
  'undone',
  'result',
]);

/**
 * A task's events, in order: each to its own file, then as a copy to standard output. The file is what counts, so
 * a copy that nobody takes is no failure.
 */
export class EventLog implements Disposable {
  readonly #file: number;
  readonly #copy: Writable;
  #isTorn = false;

  /** @throws HoldfastError `storage-not-writable` */
  constructor(path: string, copy: Writable) {
    try {
      this.#file = openSync(path, 'a', 0o600);
      syncFolder(dirname(path));
    } catch (error) {
      throw writeFailure(error);
    }
    this.#copy = copy;
  }

  /**
   * Writes at once, so that events keep the order in which things happened.
   * @throws HoldfastError `storage-full` or `storage-not-writable` for a milestone; any other event may be lost
   */
  emit(event: MoverEvent): void {
    const isMilestone = milestones.has(event.type);
    const line = `${JSON.stringify(event)}\n`;
    try {
      this.#append(line);
      if (isMilestone) fsyncSync(this.#file);
    } catch (error) {
      if (isMilestone) throw writeFailure(error);
    }
    if (event.type !== 'progress' || this.#copy.writableLength < maxWaitingBytes) this.#copy.write(line);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #append(line: string): void {
    // A full disk may have cut the line before: what follows must not become a part of it.
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line);
    this.#isTorn = true;
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    this.#isTorn = false;
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function writeFailure(error: unknown): HoldfastError {
  const code = systemErrorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new HoldfastError('storage-full', "The disk with the task's event file is full.", {
      hint: 'Make room where the data directory of Holdfast is, and run the job again.',
      cause: error,
    });
  }
  return new HoldfastError(
    'storage-not-writable',
    `The task's event file cannot be written: ${code ?? error}.`,
    {
      hint: 'Check the owner and the mode of the folder "tasks" in the data directory of Holdfast.',
      cause: error,
    },
  );
}
