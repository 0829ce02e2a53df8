import { HoldfastError } from '@holdfast/base';
import type { CommandEnd, RunningCommand } from '@holdfast/docker';
import type { BackupTask } from '@holdfast/protocol';
import { endInWords, lastLine, readableText } from './command-log.ts';

export type CommandPart = BackupTask['commands'][number];

const tailBytes = 1024;

/** What a backup command prints, counted on the way, with an end that only a complete output has. */
export class CommandOutput {
  readonly #part: CommandPart;
  readonly #running: RunningCommand;
  #tail = Buffer.alloc(0);
  #bytes = 0;
  #end: CommandEnd | undefined;

  constructor(part: CommandPart, running: RunningCommand) {
    this.#part = part;
    this.#running = running;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Undefined while it runs, and for one that was killed. */
  get end(): CommandEnd | undefined {
    return this.#end;
  }

  /** What it said: its standard error or, if it failed without a word there, the last kilobyte of its output. */
  get said(): string {
    const { errors } = this.#running;
    if (errors.trim() !== '') return errors;
    return this.#end?.exitCode === 0 ? '' : readableText(this.#tail);
  }

  /**
   * @throws HoldfastError `command-failed`, `command-output-empty`, `command-output-incomplete` at its end, and whatever
   * a command rejects with
   */
  async *read(): AsyncGenerator<Uint8Array, void> {
    for await (const piece of this.#running.stdout as AsyncIterable<Buffer>) {
      this.#bytes += piece.length;
      this.#tail = Buffer.concat([this.#tail, piece.subarray(-tailBytes)]).subarray(-tailBytes);
      yield piece;
    }
    this.#end = await this.#running.ended;
    this.#assertComplete(this.#end);
  }

  #assertComplete({ exitCode }: CommandEnd): void {
    const { name, endPattern, containerName } = this.#part;
    const context = { part: name, container: containerName, exitCode };
    if (exitCode !== 0) {
      const reason = lastLine(this.said);
      throw new HoldfastError(
        'command-failed',
        `The backup command of ${name} ended with ${endInWords(exitCode)}${reason && `: ${reason}`}`,
        { hint: 'The log has all that it said: holdfast backup:log.', context },
      );
    }
    if (this.#bytes === 0) {
      throw new HoldfastError('command-output-empty', `The backup command of ${name} printed nothing.`, {
        hint: 'It has to write the backup to its standard output.',
        context,
      });
    }
    if (endPattern !== null && !new RegExp(endPattern).test(this.#tail.toString('latin1'))) {
      throw new HoldfastError(
        'command-output-incomplete',
        `The output of the backup command of ${name} breaks off: the mark at its end is missing.`,
        { hint: 'The log has all that it said: holdfast backup:log.', context },
      );
    }
  }
}
