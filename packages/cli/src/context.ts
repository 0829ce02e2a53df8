import type { Readable } from 'node:stream';
import type { Clock } from '@holdfast/base';
import type { Interrupts } from './interrupts.ts';
import type { TextOutput } from './output/text-output.ts';

/** Everything of the outside world that a command may touch; `main.ts` makes the real one. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The current folder, absolute. */
  readonly folder: string;
  readonly input: Readable & { readonly isTTY?: boolean };
  /** Standard output: only what the command was asked for. */
  readonly output: TextOutput;
  /** Standard error, for people: progress and remarks. Dropped where JSON is asked for. */
  readonly notes: TextOutput;
  /** Standard error, for what must be told in any case: errors and questions. */
  readonly errors: TextOutput;
  /** JSON is asked for: errors are objects. */
  readonly asJson: boolean;
  /** By `--json`, as restic has it: each object says its `message_type`. */
  readonly asMessages: boolean;
  readonly clock: Clock;
  readonly interrupts: Interrupts;
}

/** True when somebody sits there who can be asked. */
export function isInteractive(context: CliContext): boolean {
  return context.input.isTTY === true && context.errors.isTerminal;
}
