import { HoldfastError } from '@holdfast/base';

/**
 * Looks at directories whose file system may never answer, as one of a network does whose machine is gone. Nobody waits for
 * longer than the limit; a look that did not come back keeps a thread of this process, so that until it does, no other one at
 * that directory is begun.
 */
export class DirectoryLooks {
  readonly #limitMs: number;
  readonly #hanging = new Map<string, number>();

  constructor(limitMs = 5000) {
    this.#limitMs = limitMs;
  }

  /** @throws HoldfastError `storage-unreachable` after the limit; whatever the look throws */
  async look<Result>(directory: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#hanging.has(directory)) throw noAnswer(directory);
    const { promise: late, reject } = Promise.withResolvers<never>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#change(directory, 1);
      reject(noAnswer(directory));
    }, this.#limitMs);
    const looking = work().finally(() => {
      clearTimeout(timer);
      if (isLate) this.#change(directory, -1);
    });
    return await Promise.race([looking, late]);
  }

  #change(directory: string, by: 1 | -1): void {
    const count = (this.#hanging.get(directory) ?? 0) + by;
    if (count === 0) this.#hanging.delete(directory);
    else this.#hanging.set(directory, count);
  }
}

function noAnswer(directory: string): HoldfastError {
  return new HoldfastError('storage-unreachable', `The file system of ${directory} does not answer.`, {
    hint: 'It may be one of a network whose server is gone. Nothing is written there until it answers.',
    context: { directory },
  });
}
