import type { Readable, Writable } from 'node:stream';

export interface MoverExit {
  /** Null when a signal ended it, or where nobody could tell. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A mover's program at work, whether it is a child process or in a container of its own. */
export interface MoverProgram {
  /** May be written to at once; errors are told by the program's end alone. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when nothing of it runs any more; rejects with a `HoldfastError` where it could not be started. */
  readonly ended: Promise<MoverExit>;
  /** Ends it at once. */
  kill(): void;
}
