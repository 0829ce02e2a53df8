import { confirm, isCancel, text } from '@clack/prompts';
import { HoldfastError } from '@holdfast/base';
import { type CliContext, isInteractive } from '../context.ts';
import { printable } from '../output/printable.ts';

export interface Confirmation {
  /** What is about to happen, told before the question, and also where none is asked. */
  readonly plan: readonly string[];
  readonly question: string;
  /** Where yes is too little: what has to be typed to go ahead. */
  readonly typed?: string | undefined;
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
  { plan, question, typed, yes }: Confirmation,
): Promise<void> {
  const asks = yes !== true && isInteractive(context);
  for (const line of plan) (asks ? context.errors : context.notes).line(printable(line));
  if (yes === true) return;
  requireAnswerable(context, yes);
  const { signal } = context.interrupts;
  const io = { input: context.input, output: context.errors.stream, signal };
  const message = printable(question);
  const answer =
    typed === undefined
      ? await confirm({ message, initialValue: false, ...io })
      : await text({ message, placeholder: printable(typed), ...io });
  if (answer === (typed ?? true)) return;
  throw new HoldfastError(
    'interrupted',
    isCancel(answer) ? 'Interrupted.' : `Nothing was done: ${refusal(typed)}.`,
  );
}

/**
 * For what takes long before there is anything to confirm.
 * @throws HoldfastError `confirmation-needed` where nobody could be asked then
 */
export function requireAnswerable(context: CliContext, yes: boolean | undefined): void {
  if (yes === true || isInteractive(context)) return;
  throw new HoldfastError(
    'confirmation-needed',
    'This has to be confirmed, and there is no terminal to ask on.',
    { hint: 'Give --yes to go ahead.' },
  );
}

function refusal(typed: string | undefined): string {
  return typed === undefined ? 'the answer was no' : `the answer was not ${printable(typed)}`;
}
