import { confirm, isCancel } from '@clack/prompts';
import { HoldfastError } from '@holdfast/base';
import { type CliContext, isInteractive } from '../context.ts';
import { printable } from '../output/printable.ts';

export interface Confirmation {
  /** What is about to happen, told before the question, and also where none is asked. */
  readonly plan: readonly string[];
  readonly question: string;
  /** True where the user gave `--yes`. */
  readonly yes: boolean | undefined;
}

/**
 * Asks before something that cannot be undone; returns only if the answer is yes or `--yes` was given.
 *
 * @throws HoldfastError `confirmation-needed` where nobody can be asked; `interrupted` when the answer is no
 */
export async function confirmOrLeave(
  context: CliContext,
  { plan, question, yes }: Confirmation,
): Promise<void> {
  const asks = yes !== true && isInteractive(context);
  for (const line of plan) (asks ? context.errors : context.notes).line(printable(line));
  if (yes === true) return;
  if (!asks) {
    throw new HoldfastError(
      'confirmation-needed',
      'This has to be confirmed, and there is no terminal to ask on.',
      {
        hint: 'Give --yes to go ahead.',
      },
    );
  }
  const { signal } = context.interrupts;
  const answer = await confirm({
    message: printable(question),
    initialValue: false,
    input: context.input,
    output: context.errors.stream,
    signal,
  });
  if (answer === true) return;
  throw new HoldfastError(
    'interrupted',
    isCancel(answer) ? 'Interrupted.' : 'Nothing was done: the answer was no.',
  );
}
