export const blockBytes = 1024 * 1024;

/** What the workers share. */
export interface Content {
  readonly bytes: SharedArrayBuffer;
  /** Where each block ends; it begins where the one before ends. */
  readonly ends: readonly number[];
  /** One number: the next block that nobody has taken. */
  readonly next: Int32Array;
}

export type WorkerMessage = 'ready' | 'done';
