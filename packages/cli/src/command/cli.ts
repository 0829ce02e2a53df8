import { type ExitStatus, exitStatus } from '@holdfast/base';
import type { CliContext } from '../context.ts';

/** One run of the command line: its context, and the exit status that its command ended with. */
export class Cli {
  readonly context: CliContext;
  #status: ExitStatus = exitStatus.done;

  constructor(context: CliContext) {
    this.context = context;
  }

  get status(): ExitStatus {
    return this.#status;
  }

  /** Makes commander's action of a function that returns the exit status. */
  action<Args extends unknown[]>(
    run: (...args: Args) => Promise<ExitStatus>,
  ): (...args: Args) => Promise<void> {
    return async (...args) => {
      this.#status = await run(...args);
    };
  }
}
